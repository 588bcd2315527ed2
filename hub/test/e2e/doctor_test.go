package e2e_test

import (
	"database/sql"
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
	"github.com/evergrant/evergrant/hub/test/hubtest"
)

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
	r := hubtest.StartHub(t, nil)
	r.AddService(t, hubtest.StartWorld(t, time.Hour).Service("oauth2"))
	found := hubtest.Findings(t, r.Hub.URL()+"/healthz", map[string]any{"data_dir": r.Dir, "public_url": r.Hub.URL()})
	expectNoFailure(t, found)
	hubtest.Expect(t, found, "key", "ok", "opens what the database holds")
	hubtest.Expect(t, found, "database", "ok", "SQLite 3.")
	hubtest.Expect(t, found, "clock", "ok", "agrees with the service's")
	hubtest.Expect(t, found, "plugins", "ok", "bitrix24")
	hubtest.Expect(t, found, "plugins", "ok", "google")
	hubtest.Expect(t, found, "callback", "warn", "this machine alone")
	hubtest.Expect(t, found, "callback", "ok", "leads to this hub")
	hubtest.Expect(t, found, "data_dir", "ok", "can be written")
}

// In the first moment of its first start a hub cannot prove itself. That is nothing to mend.
func TestDoctorBesideAHubThatHasJustBeenStartedForTheFirstTime(t *testing.T) {
	t.Parallel()
	r := hubtest.StartHub(t, nil)
	// What the hub does by itself after its start would seal the first thing.
	r.Execute(t, "CREATE TRIGGER nothing_is_sealed BEFORE INSERT ON audit_chain BEGIN SELECT RAISE(IGNORE); END")
	r.Execute(t, "DELETE FROM audit_chain")
	found := hubtest.Findings(t, r.Hub.URL()+"/healthz", map[string]any{"data_dir": r.Dir, "public_url": r.Hub.URL()})
	expectNoFailure(t, found)
	hubtest.Expect(t, found, "callback", "warn", "nothing is sealed yet")
}

func TestDoctorOnANewMachineSaysWhatTheFirstStartMakes(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	found := hubtest.Findings(t, "", map[string]any{"data_dir": dir})
	hubtest.Expect(t, found, "data_dir", "warn", "there is no")
	hubtest.Expect(t, found, "database", "warn", "none yet")
	hubtest.Expect(t, found, "key", "warn", "none yet")
	if _, err := os.Stat(dir); err == nil {
		t.Error("the doctor has made something")
	}
}

func TestDoctorSeesAWrongKey(t *testing.T) {
	t.Parallel()
	r := hubtest.StartHub(t, nil)
	r.AddService(t, hubtest.StartWorld(t, time.Hour).Service("oauth2"))
	other := filepath.Join(t.TempDir(), "other.key")
	if err := hub.CreateKey(other); err != nil {
		t.Fatal(err)
	}
	at := map[string]any{"data_dir": r.Dir, "public_url": r.Hub.URL(), "key.file": other}
	found := hubtest.Findings(t, "", at)
	hubtest.Expect(t, found, "key", "fail", "another one")
	if err := os.Chmod(other, 0o644); err != nil {
		t.Fatal(err)
	}
	hubtest.Expect(t, hubtest.Findings(t, "", at), "key", "fail", "mode 0644")
	at["key.file"] = other + "-gone"
	hubtest.Expect(t, hubtest.Findings(t, "", at), "key", "fail", "there is no key")
}

func TestDoctorSeesWhoAnswersAtThePublicAddress(t *testing.T) {
	t.Parallel()
	r, other := hubtest.StartHub(t, nil), hubtest.StartHub(t, nil)
	world := hubtest.StartWorld(t, time.Hour)
	r.AddService(t, world.Service("oauth2"))
	other.AddService(t, world.Service("oauth2"))
	look := func(address string) []hub.Finding {
		return hubtest.Findings(t, "", map[string]any{"data_dir": r.Dir, "public_url": address})
	}
	hubtest.Expect(t, look(other.Hub.URL()), "callback", "fail", "another database or key")
	hubtest.Expect(t, look("https://hub.invalid"), "callback", "fail", "cannot be resolved")
	hubtest.Expect(t, look("http://127.0.0.1:1"), "callback", "fail", "does not answer")
	for _, c := range []struct {
		status int
		says   string
	}{{http.StatusOK, "something else"}, {http.StatusFound, "sends the browser elsewhere"}, {http.StatusBadGateway, "answers 502"}} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "https://elsewhere.example")
			w.WriteHeader(c.status)
		}))
		hubtest.Expect(t, look(server.URL), "callback", "fail", c.says)
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
		hubtest.Expect(t, hubtest.Findings(t, server.URL, map[string]any{"data_dir": t.TempDir()}), "clock", "warn", word)
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
	found := hubtest.Findings(t, "", map[string]any{"data_dir": file, "plugins.dir": dir, "plugins.sandbox": "off"})
	hubtest.Expect(t, found, "plugins", "fail", "broken does not run")
	hubtest.Expect(t, found, "plugins", "warn", "the sandbox is off")
	hubtest.Expect(t, found, "data_dir", "fail", "no folder")
	hubtest.Expect(t, hubtest.Findings(t, "", map[string]any{"data_dir": dir, "plugins.dir": dir + "/none"}), "plugins", "fail", "no such file")
}

func TestDoctorSeesADatabaseOfAnotherVersion(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if r := hubtest.StartHubIn(t, dir, nil); r != nil {
		r.Hub.Stop(t.Context())
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
	hubtest.Expect(t, hubtest.Findings(t, "", map[string]any{"data_dir": dir}), "database", "fail", "made by a newer evergrant")
	turn("DELETE FROM goose_db_version WHERE version_id > 3")
	hubtest.Expect(t, hubtest.Findings(t, "", map[string]any{"data_dir": dir}), "database", "warn", "of version 3")
	hubtest.Expect(t, hubtest.Findings(t, "", map[string]any{"data_dir": dir, "database.url": "postgres://nobody@127.0.0.1:1/none"}), "database", "fail", "reach the database")
}

func TestDoctorSeesWhetherAnybodyWouldBeTold(t *testing.T) {
	t.Parallel()
	services := hubtest.StartChannels(t)
	r := hubtest.StartHub(t, nil)
	look := func() []hub.Finding {
		return hubtest.Findings(t, "", map[string]any{"data_dir": r.Dir, "public_url": r.Hub.URL()})
	}
	hubtest.Expect(t, look(), "channels", "warn", "nobody can be told of trouble")
	boss := r.Owner(t)
	mail := boss.AddChannelTitled(services, channel.SMTP, "Office mail")
	boss.AddContact("Anna", map[string]string{mail: services.Address(channel.SMTP)})
	found := look()
	hubtest.Expect(t, found, "channels", "ok", "Office mail is set up, and 127.0.0.1:")
	hubtest.Expect(t, found, "channels", "warn", "no contact gets what has no other recipient")
	boss.AddContact("Desk", map[string]string{mail: services.Address(channel.SMTP)}, "takes_rest", "true")
	for _, f := range look() {
		if f.Check == "channels" && f.Level != "ok" {
			t.Errorf("%+v", f)
		}
	}
	services.Close()
	hubtest.Expect(t, look(), "channels", "fail", "takes no connection")
}

func TestDoctorLooksAtPostgreSQL(t *testing.T) {
	t.Parallel()
	address := storetest.Postgres(t)
	r := hubtest.StartHub(t, map[string]any{"database.url": address})
	r.AddService(t, hubtest.StartWorld(t, time.Hour).Service("oauth2"))
	var found []hub.Finding
	hubtest.Eventually(t, "the hub listens", func() bool {
		found = hubtest.Findings(t, "", map[string]any{"data_dir": r.Dir, "public_url": r.Hub.URL(), "database.url": address, "key.file": filepath.Join(r.Dir, "made.key")})
		return slices.ContainsFunc(found, func(f hub.Finding) bool {
			return f.Check == "database" && strings.Contains(f.What, "1 hubs connected")
		})
	})
	expectNoFailure(t, found)
	hubtest.Expect(t, found, "database", "ok", "PostgreSQL ")
	hubtest.Expect(t, found, "clock", "ok", "agrees with the database's")
	hubtest.Expect(t, found, "callback", "ok", "leads to this hub")
}
