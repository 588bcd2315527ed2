package hub_test

import (
	"database/sql"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

// restoreState is what tests read of a restore.
type restoreState struct {
	Noticed *struct {
		Cause     string
		Forwarded int
		Replicas  []struct{ Name string }
	}
	Held   bool
	Behind int
}

func (r *running) restore(t *testing.T) (s restoreState) {
	t.Helper()
	r.admin.must(t, "GET", "/api/v1/data/restore", nil, &s)
	return s
}

func (r *running) renew(t *testing.T, connection string) {
	t.Helper()
	r.admin.must(t, "POST", "/api/v1/connections/"+connection+"/renew", nil, nil)
}

// again starts a hub on the folder and at the address of one that was stopped: services
// know it.
func (r *running) again(t *testing.T) *running {
	t.Helper()
	return startHubIn(t, r.dir, map[string]any{"listen": r.hub.Addr().String(), "public_url": r.hub.URL()})
}

// taken is a copy of the database's file, as a person takes it of a hub that is stopped.
func taken(t *testing.T, dir string) (back func()) {
	t.Helper()
	file := filepath.Join(dir, "evergrant.db")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := errors.Join(os.RemoveAll(file+"-wal"), os.RemoveAll(file+"-shm"), os.WriteFile(file, data, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
}

// execIn changes the database of a hub that is stopped.
func execIn(t *testing.T, dir, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "evergrant.db"))
	if err == nil {
		_, err = db.ExecContext(t.Context(), statement)
		err = errors.Join(err, db.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestARestoredDatabaseIsBroughtForwardByItsDataFolder(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		backup func(t *testing.T, r *running) (restore func())
		cause  string
	}{
		"by evergrant restore": {func(t *testing.T, r *running) func() {
			cfg := configOf(t, r)
			made, err := hub.Backup(t.Context(), cfg, "test", t.TempDir(), nil)
			if err != nil {
				t.Fatal(err)
			}
			return func() {
				if _, err := hub.Restore(t.Context(), cfg, made.File, true, nil); err != nil {
					t.Fatal(err)
				}
			}
		}, "backup"},
		"by a copy of the file": {func(t *testing.T, r *running) func() { return taken(t, r.dir) }, "database"},
	} {
		t.Run(name, func(t *testing.T) {
			r := startHub(t, nil)
			server, connection := bitrix24(t, r, time.Hour)
			r.hub.Stop(t.Context())
			restore := tt.backup(t, r)
			r = r.again(t)
			r.renew(t, connection)
			r.renew(t, connection)
			before := r.view(t, connection).Generation
			r.hub.Stop(t.Context())
			restore()
			execIn(t, r.dir, `UPDATE connections SET due_at = 1`)

			r = r.again(t)
			if s := r.restore(t); s.Noticed == nil || s.Noticed.Cause != tt.cause || s.Noticed.Forwarded != 1 || s.Held || s.Behind != 0 {
				t.Errorf("%+v", s)
			}
			if v := r.view(t, connection); v.Generation != before {
				t.Errorf("generation %d after %d", v.Generation, before)
			}
			r.renew(t, connection)
			if v := r.view(t, connection); v.Generation != before+1 || server.Spent() != 0 {
				t.Errorf("generation %d, %d refresh tokens came twice", v.Generation, server.Spent())
			}
		})
	}
}

// behind is a hub whose database was restored and whose folder knows nothing: its grants
// may have been renewed since.
func behind(t *testing.T) (r *running, connection string) {
	t.Helper()
	r = startHub(t, nil)
	_, connection = bitrix24(t, r, time.Hour)
	r.hub.Stop(t.Context())
	restore := taken(t, r.dir)
	r.again(t).hub.Stop(t.Context())
	restore()
	execIn(t, r.dir, `UPDATE connections SET due_at = 1`)
	for _, companion := range []string{"", "-wal", "-shm"} {
		if err := os.RemoveAll(filepath.Join(r.dir, "newest.db"+companion)); err != nil {
			t.Fatal(err)
		}
	}
	return r.again(t), connection
}

// troubles are the kinds of the open incidents.
func (r *running) troubles(t *testing.T) (kinds []string) {
	t.Helper()
	for _, i := range r.incidents(t, "open") {
		kinds = append(kinds, i.Kind)
	}
	return kinds
}

// What may be behind the backup is tried by nobody until a person decides; its token is
// served meanwhile.
func TestWhatIsBehindABackupWaitsForADecision(t *testing.T) {
	t.Parallel()
	for name, decide := range map[string]func(t *testing.T, r *running, connection string){
		"try once": func(t *testing.T, r *running, connection string) {
			var run struct{ Connections int }
			r.admin.must(t, "POST", "/api/v1/data/behind/try", map[string]any{"connections": []string{connection}}, &run)
			if run.Connections != 1 {
				t.Errorf("%+v", run)
			}
			eventually(t, "it is renewed", func() bool { return r.view(t, connection).Generation == 2 })
		},
		"send links": func(t *testing.T, r *running, connection string) {
			r.admin.must(t, "POST", "/api/v1/data/behind/links", map[string]any{"all": true}, nil)
			eventually(t, "it has ended", func() bool { return r.view(t, connection).Status == "needs_authorization" })
			eventually(t, "people are called", func() bool { return slices.Contains(r.troubles(t), "grant") })
			if v := r.view(t, connection); v.LastError == nil || v.LastError.Code != "behind_backup" {
				t.Errorf("%+v", v.LastError)
			}
			r.key(t, connection).pull(t, connection)
			r.authorise(t, connection)
			r.renew(t, connection)
			if v := r.view(t, connection); v.Generation != 3 {
				t.Errorf("after it was authorized again it has generation %d", v.Generation)
			}
		},
		"authorize again": func(t *testing.T, r *running, connection string) {
			r.authorise(t, connection)
			r.renew(t, connection)
			if v := r.view(t, connection); v.Generation != 3 {
				t.Errorf("generation %d", v.Generation)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, connection := behind(t)
			var list struct {
				Items []struct{ Connection, Reason string }
			}
			r.admin.must(t, "GET", "/api/v1/data/behind", nil, &list)
			if s := r.restore(t); s.Behind != 1 || s.Held || len(list.Items) != 1 || list.Items[0].Connection != connection || list.Items[0].Reason != "due" {
				t.Fatalf("%+v, %+v", s, list.Items)
			}
			r.refusesToRenew(t, connection)
			if v := r.view(t, connection); v.Generation != 1 || v.LastError != nil {
				t.Fatalf("it was tried: %+v", v)
			}
			r.key(t, connection).pull(t, connection)
			eventually(t, "people are told", func() bool { return slices.Contains(r.troubles(t), "behind") })
			decide(t, r, connection)
			eventually(t, "the incident is over", func() bool { return !slices.Contains(r.troubles(t), "behind") })
			if s := r.restore(t); s.Behind != 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestThePagesAskBeforeADecisionAndTellWhatCameOfIt(t *testing.T) {
	t.Parallel()
	r, connection := behind(t)
	boss := r.owner(t)
	_, page, _ := boss.ask("GET", "/", nil)
	if !strings.Contains(page, "1 grant may be behind the backup") || !strings.Contains(page, `href="/restored"`) {
		t.Error("the overview says nothing of it")
	}
	_, page, _ = boss.ask("GET", "/restored", nil)
	if !strings.Contains(page, connection) || !strings.Contains(page, "its renewal was due") {
		t.Error("the page does not list it")
	}
	chosen := url.Values{"decision": {"try_once"}, "connections": {connection}}
	_, page, _ = boss.ask("POST", "/restored/behind", chosen)
	if !strings.Contains(page, "Send the stored refresh token of 1 grant once?") || r.restore(t).Behind != 1 {
		t.Error("nothing is asked before it is done")
	}
	chosen.Set("confirmed", "true")
	status, _, location := boss.ask("POST", "/restored/behind", chosen)
	if status != 303 || !strings.HasPrefix(location, "/bulk/") {
		t.Errorf("%d %s", status, location)
	}
	eventually(t, "it is renewed", func() bool { return r.view(t, connection).Generation == 2 })
	eventually(t, "the audit record has the outcome", func() bool {
		_, page, _ := boss.ask("GET", "/audit?act=connection.try_once", nil)
		return strings.Contains(page, connection) && strings.Contains(page, "done")
	})
	guest := boss.invite(r, "viewer", "viewer")
	if status, _, _ := guest.ask("POST", "/restored/behind", chosen); status != 403 {
		t.Errorf("a viewer decides: %d", status)
	}
	if status, _, _ := guest.ask("GET", "/withdrawn", nil); status != 403 {
		t.Errorf("a viewer sees what was withdrawn: %d", status)
	}
}

// Each of two hubs knows some of the newest tokens and of the withdrawals: renewals wait for
// both, and either shows all.
func TestEachReplicaSharesWhatItAloneKnowsAfterARestore(t *testing.T) {
	t.Parallel()
	address, dir := storetest.Postgres(t), t.TempDir()
	if err := hub.CreateKey(filepath.Join(dir, "key")); err != nil {
		t.Fatal(err)
	}
	flags := func(name string) map[string]any {
		return map[string]any{"database.url": address, "key.file": filepath.Join(dir, "key"), "replica_name": name}
	}
	one := startHubIn(t, filepath.Join(dir, "one"), flags("one"))
	two := startHubIn(t, filepath.Join(dir, "two"), flags("two"))
	server, connection := bitrix24(t, one, time.Hour)
	var key struct{ ID, Key string }
	one.admin.must(t, "POST", "/api/v1/api-keys", map[string]any{"title": "leaked", "connections": []string{connection}}, &key)
	cfg, err := hub.LoadConfig("", nil, map[string]any{"data_dir": filepath.Join(dir, "elsewhere"), "database.url": address, "key.file": filepath.Join(dir, "key")})
	if err != nil {
		t.Fatal(err)
	}
	made, err := hub.Backup(t.Context(), cfg, "test", t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	two.renew(t, connection)
	two.admin.must(t, "DELETE", "/api/v1/api-keys/"+key.ID, nil, nil)
	one.hub.Stop(t.Context())
	two.hub.Stop(t.Context())
	if _, err := hub.Restore(t.Context(), cfg, made.File, true, nil); err != nil {
		t.Fatal(err)
	}

	one = startHubIn(t, one.dir, flags("one"))
	one.refusesToRenew(t, connection)
	if s, v := one.restore(t), one.view(t, connection); !s.Held || v.Generation != 1 {
		t.Fatalf("the first hub does not wait for the second: %+v, generation %d", s, v.Generation)
	}
	if !contains(one.log, "rotating renewals on hold") {
		t.Error("the log says nothing of it")
	}
	two = startHubIn(t, two.dir, flags("two"))
	eventually(t, "the hold ends", func() bool { return !one.restore(t).Held })
	eventually(t, "renewals go on at the first hub", func() bool {
		one.renew(t, connection)
		return one.view(t, connection).Generation == 3
	})
	if s := one.restore(t); s.Noticed.Forwarded != 1 || len(s.Noticed.Replicas) != 2 || server.Spent() != 0 {
		t.Errorf("%+v, %d came twice", s.Noticed, server.Spent())
	}
	if acts := one.withdrawn(t, "GET", "withdrawn"); !slices.Equal(acts, []string{"key.revoke"}) {
		t.Errorf("the first hub knows of %v", acts)
	}
	if acts := one.withdrawn(t, "POST", "withdraw"); !slices.Equal(acts, []string{"key.revoke"}) {
		t.Errorf("withdrawn are %v", acts)
	}
	if acts := append(one.withdrawn(t, "GET", "withdrawn"), two.withdrawn(t, "GET", "withdrawn")...); len(acts) != 0 {
		t.Errorf("afterwards %v are back", acts)
	}
	leaked := &client{base: two.hub.URL(), key: key.Key}
	if status, _ := leaked.do(t, "GET", "/api/v1/connections/"+connection+"/token", nil); status != 401 {
		t.Errorf("the key that was revoked answers %d", status)
	}
}

// refusesToRenew asks for a renewal that is held back: it says so and sends nothing.
func (r *running) refusesToRenew(t *testing.T, connection string) {
	t.Helper()
	if status, answer := r.admin.do(t, "POST", "/api/v1/connections/"+connection+"/renew", nil); status != http.StatusServiceUnavailable {
		t.Errorf("a renewal that is held back: %d %s", status, answer)
	}
}
