package hub_test

import (
	"database/sql"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub"
	"github.com/evergrant/evergrant/hub/internal/channel"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

// findings runs the doctor on a configuration.
func findings(t *testing.T, clockURL string, flags map[string]any) []hub.Finding {
	t.Helper()
	all := map[string]any{"plugins.dir": pluginsDir}
	maps.Copy(all, flags)
	cfg, err := hub.LoadConfig("", nil, all)
	if err != nil {
		t.Fatal(err)
	}
	found, failed := hub.Doctor(t.Context(), cfg, clockURL)
	for _, f := range found {
		if f.Level == "fail" {
			failed--
		}
		if f.Check == "" || f.What == "" || f.Level != "ok" && f.Level != "warn" && f.Level != "fail" {
			t.Errorf("a finding lacks something: %+v", f)
		}
	}
	if failed != 0 {
		t.Errorf("the count of failures is wrong by %d", failed)
	}
	return found
}

// expect looks for a finding of a level that holds a text.
func expect(t *testing.T, found []hub.Finding, check, level, text string) {
	t.Helper()
	for _, f := range found {
		if f.Check == check && string(f.Level) == level && strings.Contains(f.What, text) {
			return
		}
	}
	data, _ := json.MarshalIndent(found, "", " ")
	t.Errorf("no %s of %s says %q:\n%s", level, check, text, data)
}

func expectNoFailure(t *testing.T, found []hub.Finding) {
	t.Helper()
	for _, f := range found {
		if f.Level == "fail" {
			t.Errorf("%+v", f)
		}
	}
}

func TestDoctorFindsNothingToMendBesideARunningHub(t *testing.T) {
	t.Parallel()
	r := startHub(t, nil)
	r.addService(t, startWorld(t, time.Hour).Service("oauth2"))
	found := findings(t, r.hub.URL()+"/healthz", map[string]any{"data_dir": r.dir, "public_url": r.hub.URL()})
	expectNoFailure(t, found)
	expect(t, found, "key", "ok", "opens what the database holds")
	expect(t, found, "database", "ok", "SQLite 3.")
	expect(t, found, "clock", "ok", "agrees with the service's")
	expect(t, found, "plugins", "ok", "bitrix24")
	expect(t, found, "plugins", "ok", "google")
	expect(t, found, "callback", "warn", "this machine alone")
	expect(t, found, "callback", "ok", "leads to this hub")
	expect(t, found, "data_dir", "ok", "can be written")
}

// In the first moment of its first start a hub cannot prove itself. That is nothing to mend.
func TestDoctorBesideAHubThatHasJustBeenStartedForTheFirstTime(t *testing.T) {
	t.Parallel()
	r := startHub(t, nil)
	r.execute(t, "DELETE FROM audit_chain")
	found := findings(t, r.hub.URL()+"/healthz", map[string]any{"data_dir": r.dir, "public_url": r.hub.URL()})
	expectNoFailure(t, found)
	expect(t, found, "callback", "warn", "nothing is sealed yet")
}

func TestDoctorOnANewMachineSaysWhatTheFirstStartMakes(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	found := findings(t, "", map[string]any{"data_dir": dir})
	expect(t, found, "data_dir", "warn", "there is no")
	expect(t, found, "database", "warn", "none yet")
	expect(t, found, "key", "warn", "none yet")
	if _, err := os.Stat(dir); err == nil {
		t.Error("the doctor has made something")
	}
}

func TestDoctorSeesAWrongKey(t *testing.T) {
	t.Parallel()
	r := startHub(t, nil)
	r.addService(t, startWorld(t, time.Hour).Service("oauth2"))
	other := filepath.Join(t.TempDir(), "other.key")
	if err := hub.CreateKey(other); err != nil {
		t.Fatal(err)
	}
	at := map[string]any{"data_dir": r.dir, "public_url": r.hub.URL(), "key.file": other}
	found := findings(t, "", at)
	expect(t, found, "key", "fail", "another one")
	if err := os.Chmod(other, 0o644); err != nil {
		t.Fatal(err)
	}
	expect(t, findings(t, "", at), "key", "fail", "mode 0644")
	at["key.file"] = other + "-gone"
	expect(t, findings(t, "", at), "key", "fail", "there is no key")
}

func TestDoctorSeesWhoAnswersAtThePublicAddress(t *testing.T) {
	t.Parallel()
	r, other := startHub(t, nil), startHub(t, nil)
	world := startWorld(t, time.Hour)
	r.addService(t, world.Service("oauth2"))
	other.addService(t, world.Service("oauth2"))
	look := func(address string) []hub.Finding {
		return findings(t, "", map[string]any{"data_dir": r.dir, "public_url": address})
	}
	expect(t, look(other.hub.URL()), "callback", "fail", "another database or key")
	expect(t, look("https://hub.invalid"), "callback", "fail", "cannot be resolved")
	expect(t, look("http://127.0.0.1:1"), "callback", "fail", "does not answer")
	for _, c := range []struct {
		status int
		says   string
	}{{http.StatusOK, "something else"}, {http.StatusFound, "sends the browser elsewhere"}, {http.StatusBadGateway, "answers 502"}} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "https://elsewhere.example")
			w.WriteHeader(c.status)
		}))
		expect(t, look(server.URL), "callback", "fail", c.says)
		server.Close()
	}
}

func TestDoctorSeesAClockThatIsWrong(t *testing.T) {
	t.Parallel()
	for _, ahead := range []time.Duration{time.Hour, -time.Hour} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Date", time.Now().Add(ahead).UTC().Format(http.TimeFormat))
		}))
		word := map[bool]string{true: "behind the service's", false: "ahead of the service's"}[ahead > 0]
		expect(t, findings(t, server.URL, map[string]any{"data_dir": t.TempDir()}), "clock", "warn", word)
		server.Close()
	}
}

func TestDoctorSeesBrokenPluginsAndFolders(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	broken := filepath.Join(dir, "evergrant-provider-broken")
	if err := os.WriteFile(broken, []byte("#!/bin/sh\necho no plugin\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	found := findings(t, "", map[string]any{"data_dir": file, "plugins.dir": dir, "plugins.sandbox": "off"})
	expect(t, found, "plugins", "fail", "broken does not run")
	expect(t, found, "plugins", "warn", "the sandbox is off")
	expect(t, found, "data_dir", "fail", "no folder")
	expect(t, findings(t, "", map[string]any{"data_dir": dir, "plugins.dir": dir + "/none"}), "plugins", "fail", "no such file")
}

func TestDoctorSeesADatabaseOfAnotherVersion(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if r := startHubIn(t, dir, nil); r != nil {
		r.hub.Stop(t.Context())
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, "evergrant.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	turn := func(statement string) {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	turn("INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)")
	expect(t, findings(t, "", map[string]any{"data_dir": dir}), "database", "fail", "made by a newer evergrant")
	turn("DELETE FROM goose_db_version WHERE version_id > 3")
	expect(t, findings(t, "", map[string]any{"data_dir": dir}), "database", "warn", "of version 3")
	expect(t, findings(t, "", map[string]any{"data_dir": dir, "database.url": "postgres://nobody@127.0.0.1:1/none"}), "database", "fail", "reach the database")
}

func TestDoctorSeesWhetherAnybodyWouldBeTold(t *testing.T) {
	t.Parallel()
	services := startChannels(t)
	r := startHub(t, nil)
	look := func() []hub.Finding {
		return findings(t, "", map[string]any{"data_dir": r.dir, "public_url": r.hub.URL()})
	}
	expect(t, look(), "channels", "warn", "nobody can be told of trouble")
	boss := r.owner(t)
	mail := boss.addChannelTitled(services, channel.SMTP, "Office mail")
	boss.addContact("Anna", map[string]string{mail: services.Address(channel.SMTP)})
	found := look()
	expect(t, found, "channels", "ok", "Office mail is set up, and 127.0.0.1:")
	expect(t, found, "channels", "warn", "no contact gets what has no other recipient")
	boss.addContact("Desk", map[string]string{mail: services.Address(channel.SMTP)}, "takes_rest", "true")
	for _, f := range look() {
		if f.Check == "channels" && f.Level != "ok" {
			t.Errorf("%+v", f)
		}
	}
	services.Close()
	expect(t, look(), "channels", "fail", "takes no connection")
}

func TestDoctorLooksAtPostgreSQL(t *testing.T) {
	t.Parallel()
	address := storetest.Postgres(t)
	r := startHub(t, map[string]any{"database.url": address})
	r.addService(t, startWorld(t, time.Hour).Service("oauth2"))
	var found []hub.Finding
	eventually(t, "the hub listens", func() bool {
		found = findings(t, "", map[string]any{"data_dir": r.dir, "public_url": r.hub.URL(), "database.url": address, "key.file": filepath.Join(r.dir, "made.key")})
		return slices.ContainsFunc(found, func(f hub.Finding) bool {
			return f.Check == "database" && strings.Contains(f.What, "1 hubs connected")
		})
	})
	expectNoFailure(t, found)
	expect(t, found, "database", "ok", "PostgreSQL ")
	expect(t, found, "clock", "ok", "agrees with the database's")
	expect(t, found, "callback", "ok", "leads to this hub")
}
