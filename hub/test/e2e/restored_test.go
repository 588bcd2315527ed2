package e2e_test

import (
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
	"github.com/evergrant/evergrant/hub/test/hubtest"
)

func renew(t *testing.T, r *hubtest.Running, connection string) {
	t.Helper()
	r.Admin.Must(t, "POST", "/api/v1/connections/"+connection+"/renew", nil, nil)
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

func TestARestoredDatabaseIsBroughtForwardByItsDataFolder(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		backup func(t *testing.T, r *hubtest.Running) (restore func())
		cause  string
	}{
		"by evergrant restore": {func(t *testing.T, r *hubtest.Running) func() {
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
		"by a copy of the file": {func(t *testing.T, r *hubtest.Running) func() { return taken(t, r.Dir) }, "database"},
	} {
		t.Run(name, func(t *testing.T) {
			r := hubtest.StartHub(t, nil)
			server, connection := bitrix24(t, r, time.Hour)
			r.Hub.Stop(t.Context())
			restore := tt.backup(t, r)
			r = r.Again(t)
			renew(t, r, connection)
			renew(t, r, connection)
			before := r.View(t, connection).Generation
			r.Hub.Stop(t.Context())
			restore()
			hubtest.ExecIn(t, r.Dir, `UPDATE connections SET due_at = 1`)

			r = r.Again(t)
			if s := r.Restore(t); s.Noticed == nil || s.Noticed.Cause != tt.cause || s.Noticed.Forwarded != 1 || s.Held || s.Behind != 0 {
				t.Errorf("%+v", s)
			}
			if v := r.View(t, connection); v.Generation != before {
				t.Errorf("generation %d after %d", v.Generation, before)
			}
			renew(t, r, connection)
			if v := r.View(t, connection); v.Generation != before+1 || server.Spent() != 0 {
				t.Errorf("generation %d, %d refresh tokens came twice", v.Generation, server.Spent())
			}
		})
	}
}

// behind is a hub whose database was restored and whose folder knows nothing: its grants
// may have been renewed since.
func behind(t *testing.T) (r *hubtest.Running, connection string) {
	t.Helper()
	r = hubtest.StartHub(t, nil)
	_, connection = bitrix24(t, r, time.Hour)
	r.Hub.Stop(t.Context())
	restore := taken(t, r.Dir)
	r.Again(t).Hub.Stop(t.Context())
	restore()
	hubtest.ExecIn(t, r.Dir, `UPDATE connections SET due_at = 1`)
	for _, companion := range []string{"", "-wal", "-shm"} {
		if err := os.RemoveAll(filepath.Join(r.Dir, "newest.db"+companion)); err != nil {
			t.Fatal(err)
		}
	}
	return r.Again(t), connection
}

// troubles are the kinds of the open incidents.
func troubles(t *testing.T, r *hubtest.Running) (kinds []string) {
	t.Helper()
	for _, i := range r.Incidents(t, "open") {
		kinds = append(kinds, i.Kind)
	}
	return kinds
}

// What may be behind the backup is tried by nobody until a person decides; its token is
// served meanwhile.
func TestWhatIsBehindABackupWaitsForADecision(t *testing.T) {
	t.Parallel()
	for name, decide := range map[string]func(t *testing.T, r *hubtest.Running, connection string){
		"try once": func(t *testing.T, r *hubtest.Running, connection string) {
			var run struct{ Connections int }
			r.Admin.Must(t, "POST", "/api/v1/data/behind/try", map[string]any{"connections": []string{connection}}, &run)
			if run.Connections != 1 {
				t.Errorf("%+v", run)
			}
			hubtest.Eventually(t, "it is renewed", func() bool { return r.View(t, connection).Generation == 2 })
		},
		"send links": func(t *testing.T, r *hubtest.Running, connection string) {
			r.Admin.Must(t, "POST", "/api/v1/data/behind/links", map[string]any{"all": true}, nil)
			hubtest.Eventually(t, "it has ended", func() bool { return r.View(t, connection).Status == "needs_authorization" })
			hubtest.Eventually(t, "people are called", func() bool { return slices.Contains(troubles(t, r), "grant") })
			if v := r.View(t, connection); v.LastError == nil || v.LastError.Code != "behind_backup" {
				t.Errorf("%+v", v.LastError)
			}
			r.Key(t, connection).Pull(t, connection)
			r.Authorize(t, connection)
			renew(t, r, connection)
			if v := r.View(t, connection); v.Generation != 3 {
				t.Errorf("after it was authorized again it has generation %d", v.Generation)
			}
		},
		"authorize again": func(t *testing.T, r *hubtest.Running, connection string) {
			r.Authorize(t, connection)
			renew(t, r, connection)
			if v := r.View(t, connection); v.Generation != 3 {
				t.Errorf("generation %d", v.Generation)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, connection := behind(t)
			var list struct {
				Items []struct{ Connection, Reason string }
			}
			r.Admin.Must(t, "GET", "/api/v1/data/behind", nil, &list)
			if s := r.Restore(t); s.Behind != 1 || s.Held || len(list.Items) != 1 || list.Items[0].Connection != connection || list.Items[0].Reason != "due" {
				t.Fatalf("%+v, %+v", s, list.Items)
			}
			refusesToRenew(t, r, connection)
			if v := r.View(t, connection); v.Generation != 1 || v.LastError != nil {
				t.Fatalf("it was tried: %+v", v)
			}
			r.Key(t, connection).Pull(t, connection)
			hubtest.Eventually(t, "people are told", func() bool { return slices.Contains(troubles(t, r), "behind") })
			decide(t, r, connection)
			hubtest.Eventually(t, "the incident is over", func() bool { return !slices.Contains(troubles(t, r), "behind") })
			if s := r.Restore(t); s.Behind != 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestThePagesAskBeforeADecisionAndTellWhatCameOfIt(t *testing.T) {
	t.Parallel()
	r, connection := behind(t)
	boss := r.Owner(t)
	_, page, _ := boss.Ask("GET", "/", nil)
	if !strings.Contains(page, "1 grant may be behind the backup") || !strings.Contains(page, `href="/restored"`) {
		t.Error("the overview says nothing of it")
	}
	_, page, _ = boss.Ask("GET", "/restored", nil)
	if !strings.Contains(page, connection) || !strings.Contains(page, "its renewal was due") {
		t.Error("the page does not list it")
	}
	chosen := url.Values{"decision": {"try_once"}, "connections": {connection}}
	_, page, _ = boss.Ask("POST", "/restored/behind", chosen)
	if !strings.Contains(page, "Send the stored refresh token of 1 grant once?") || r.Restore(t).Behind != 1 {
		t.Error("nothing is asked before it is done")
	}
	chosen.Set("confirmed", "true")
	status, _, location := boss.Ask("POST", "/restored/behind", chosen)
	if status != 303 || !strings.HasPrefix(location, "/bulk/") {
		t.Errorf("%d %s", status, location)
	}
	hubtest.Eventually(t, "it is renewed", func() bool { return r.View(t, connection).Generation == 2 })
	hubtest.Eventually(t, "the audit record has the outcome", func() bool {
		_, page, _ := boss.Ask("GET", "/audit?act=connection.try_once", nil)
		return strings.Contains(page, connection) && strings.Contains(page, "done")
	})
	guest := boss.Invite(r, "viewer", "viewer")
	if status, _, _ := guest.Ask("POST", "/restored/behind", chosen); status != 403 {
		t.Errorf("a viewer decides: %d", status)
	}
	if status, _, _ := guest.Ask("GET", "/withdrawn", nil); status != 403 {
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
	one := hubtest.StartHubIn(t, filepath.Join(dir, "one"), flags("one"))
	two := hubtest.StartHubIn(t, filepath.Join(dir, "two"), flags("two"))
	server, connection := bitrix24(t, one, time.Hour)
	var key struct{ ID, Key string }
	one.Admin.Must(t, "POST", "/api/v1/api-keys", map[string]any{"title": "leaked", "connections": []string{connection}}, &key)
	cfg, err := hub.LoadConfig("", nil, map[string]any{"data_dir": filepath.Join(dir, "elsewhere"), "database.url": address, "key.file": filepath.Join(dir, "key")})
	if err != nil {
		t.Fatal(err)
	}
	made, err := hub.Backup(t.Context(), cfg, "test", t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	renew(t, two, connection)
	two.Admin.Must(t, "DELETE", "/api/v1/api-keys/"+key.ID, nil, nil)
	one.Hub.Stop(t.Context())
	two.Hub.Stop(t.Context())
	if _, err := hub.Restore(t.Context(), cfg, made.File, true, nil); err != nil {
		t.Fatal(err)
	}

	one = hubtest.StartHubIn(t, one.Dir, flags("one"))
	refusesToRenew(t, one, connection)
	if s, v := one.Restore(t), one.View(t, connection); !s.Held || v.Generation != 1 {
		t.Fatalf("the first hub does not wait for the second: %+v, generation %d", s, v.Generation)
	}
	if !hubtest.Contains(one.Log, "rotating renewals on hold") {
		t.Error("the log says nothing of it")
	}
	two = hubtest.StartHubIn(t, two.Dir, flags("two"))
	hubtest.Eventually(t, "the hold ends", func() bool { return !one.Restore(t).Held })
	hubtest.Eventually(t, "renewals go on at the first hub", func() bool {
		renew(t, one, connection)
		return one.View(t, connection).Generation == 3
	})
	if s := one.Restore(t); s.Noticed.Forwarded != 1 || len(s.Noticed.Replicas) != 2 || server.Spent() != 0 {
		t.Errorf("%+v, %d came twice", s.Noticed, server.Spent())
	}
	if acts := withdrawn(t, one, "GET", "withdrawn"); !slices.Equal(acts, []string{"key.revoke"}) {
		t.Errorf("the first hub knows of %v", acts)
	}
	if acts := withdrawn(t, one, "POST", "withdraw"); !slices.Equal(acts, []string{"key.revoke"}) {
		t.Errorf("withdrawn are %v", acts)
	}
	if acts := append(withdrawn(t, one, "GET", "withdrawn"), withdrawn(t, two, "GET", "withdrawn")...); len(acts) != 0 {
		t.Errorf("afterwards %v are back", acts)
	}
	leaked := &hubtest.Client{Base: two.Hub.URL(), Key: key.Key}
	if status, _ := leaked.Do(t, "GET", "/api/v1/connections/"+connection+"/token", nil); status != 401 {
		t.Errorf("the key that was revoked answers %d", status)
	}
}

// refusesToRenew asks for a renewal that is held back: it says so and sends nothing.
func refusesToRenew(t *testing.T, r *hubtest.Running, connection string) {
	t.Helper()
	if status, answer := r.Admin.Do(t, "POST", "/api/v1/connections/"+connection+"/renew", nil); status != http.StatusServiceUnavailable {
		t.Errorf("a renewal that is held back: %d %s", status, answer)
	}
}
