package doctor_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/config"
	"github.com/evergrant/evergrant/hub/internal/doctor"
	"github.com/evergrant/evergrant/hub/internal/pluginhost/plugintest"
	"github.com/evergrant/evergrant/hub/internal/seal"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

// Before the first start nothing is broken: what is missing will be made.
func TestBeforeTheFirstStartNothingHasFailed(t *testing.T) {
	t.Parallel()
	cfg := fresh(t)
	found := looked(t, doctor.Options{Config: cfg})
	if n := doctor.Failed(found); n != 0 {
		t.Errorf("%d have failed: %+v", n, found)
	}
	for check, says := range map[string]string{
		"database": "none yet", "key": "none yet", "journal": "none yet", "newest": "yet", "plugins": "none in", "callback": "public_url is not set",
		"ready": "public_url is not set", "channels": "without database", "replicas": "no database", "restore": "no database",
	} {
		expect(t, found, check, doctor.Warn, says)
	}
	expect(t, found, "proxies", doctor.OK, "no reverse proxy is trusted")
	expect(t, found, "tls", doctor.OK, "no certificate of its own")
	expect(t, found, "clock", doctor.OK, "compared with nothing")
	must(t, os.Remove(cfg.DataDir))
	expect(t, looked(t, doctor.Options{Config: cfg}), "data_dir", doctor.Warn, "there is no")
	must(t, os.WriteFile(cfg.DataDir, nil, 0o600))
	expect(t, looked(t, doctor.Options{Config: cfg}), "data_dir", doctor.Fail, "is no folder")
}

func TestAFolderInUseIsInOrder(t *testing.T) {
	t.Parallel()
	cfg, _ := used(t)
	found := looked(t, doctor.Options{Config: cfg})
	if n := doctor.Failed(found); n != 0 {
		t.Errorf("%d have failed: %+v", n, found)
	}
	for check, says := range map[string]string{
		"data_dir": "can be written", "database": "SQLite", "key": "opens what the database holds", "journal": "nothing damaged",
		"newest": "token sets", "backup": "no schedule", "replicas": "no hub runs", "restore": "none was noticed",
	} {
		expect(t, found, check, doctor.OK, says)
	}
	expect(t, found, "channels", doctor.Warn, "nobody can be told")
}

func TestAKeyThatIsNotTheDatabasesIsAFailure(t *testing.T) {
	t.Parallel()
	cfg, _ := used(t)
	other := cfg
	other.Key.File = filepath.Join(t.TempDir(), "other.key")
	expect(t, looked(t, doctor.Options{Config: other}), "key", doctor.Fail, "there is no key at")
	_, err := seal.Create(other.Key.File)
	must(t, err)
	expect(t, looked(t, doctor.Options{Config: other}), "key", doctor.Fail, "another one")
	must(t, os.WriteFile(other.Key.File, []byte("no key"), 0o600))
	expect(t, looked(t, doctor.Options{Config: other}), "key", doctor.Fail, "key")
	alone := fresh(t)
	_, err = seal.Create(alone.Key.File)
	must(t, err)
	expect(t, looked(t, doctor.Options{Config: alone}), "key", doctor.Warn, "no database to try it on")
}

// The folder is private; what others can read of it is named.
func TestFilesThatOthersCanReadAreNamed(t *testing.T) {
	t.Parallel()
	cfg, _ := used(t)
	must(t, os.Chmod(cfg.DataDir, 0o755))
	must(t, os.Chmod(cfg.Key.File, 0o644))
	found := looked(t, doctor.Options{Config: cfg})
	expect(t, found, "data_dir", doctor.Warn, "others can look into")
	expect(t, found, "data_dir", doctor.Fail, "others can read "+cfg.Key.File)
	must(t, os.Chmod(cfg.DataDir, 0o777))
	expect(t, looked(t, doctor.Options{Config: cfg}), "data_dir", doctor.Fail, "others may write into")
}

func TestADatabaseThatIsNotThereIsAFailure(t *testing.T) {
	t.Parallel()
	cfg := fresh(t)
	cfg.Database.URL = "postgres://nobody@127.0.0.1:1/none?connect_timeout=1"
	found := looked(t, doctor.Options{Config: cfg})
	expect(t, found, "database", doctor.Fail, "")
	expect(t, found, "key", doctor.Fail, "there is no key")
	expect(t, found, "data", doctor.OK, "copies of a data folder")
}

func TestAPostgreSQLDatabaseIsInOrder(t *testing.T) {
	t.Parallel()
	cfg := fresh(t)
	box, err := seal.Create(cfg.Key.File)
	must(t, err)
	cfg.Database.URL = storetest.Postgres(t)
	s := storetest.OpenWith(t, store.Options{URL: cfg.Database.URL, Box: box})
	sealed(t, s)
	storetest.Enter(t, s, "first")
	found := looked(t, doctor.Options{Config: cfg})
	expect(t, found, "database", doctor.OK, "PostgreSQL")
	expect(t, found, "clock", doctor.OK, "agrees with the database's")
	expect(t, found, "key", doctor.OK, "opens what the database holds")
	expect(t, found, "replicas", doctor.OK, "first")
}

func TestADetachedCopyAndABackupAreToldOf(t *testing.T) {
	t.Parallel()
	cfg, s := used(t)
	cfg.Backup = config.Backup{Dir: t.TempDir(), Every: time.Hour}
	expect(t, looked(t, doctor.Options{Config: cfg}), "backup", doctor.Warn, "none was made yet")
	must(t, s.SetSetting(t.Context(), store.DetachedKey, `{"at":"2027-01-01T00:00:00Z"}`))
	must(t, s.SetSetting(t.Context(), "backup.state", `{"good_at":"2020-01-01T00:00:00Z","file":"old.backup","failed_at":"2020-01-02T00:00:00Z","problem":"no space left"}`))
	found := looked(t, doctor.Options{Config: cfg})
	expect(t, found, "database", doctor.Warn, "detached copy")
	expect(t, found, "backup", doctor.Fail, "no space left")
	expect(t, found, "backup", doctor.Fail, "old.backup")
	must(t, s.SetSetting(t.Context(), "backup.state", `{"good_at":"`+time.Now().UTC().Format(time.RFC3339)+`","file":"new.backup"}`))
	expect(t, looked(t, doctor.Options{Config: cfg}), "backup", doctor.OK, "new.backup")
}

// The clock is compared with the Date of any service.
func TestAClockThatIsWrongIsToldOf(t *testing.T) {
	t.Parallel()
	says := time.Now()
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if says.IsZero() {
			w.Header()["Date"] = nil
			return
		}
		w.Header().Set("Date", says.UTC().Format(http.TimeFormat))
	}))
	defer service.Close()
	look := func() []doctor.Finding { return looked(t, doctor.Options{Config: fresh(t), ClockURL: service.URL}) }
	says = time.Now().Add(time.Hour)
	expect(t, look(), "clock", doctor.Warn, "behind the service's")
	says = time.Now().Add(-time.Hour)
	expect(t, look(), "clock", doctor.Warn, "ahead of the service's")
	says = time.Time{}
	expect(t, look(), "clock", doctor.Warn, "does not say the time")
	service.Close()
	expect(t, look(), "clock", doctor.Warn, "does not answer")
}

func TestPluginsAreStartedOnceAndNamed(t *testing.T) {
	t.Parallel()
	cfg := fresh(t)
	cfg.Plugins.RuntimeDir = filepath.Join(shortFolder(t), "run")
	_, err := plugintest.Put(cfg.Plugins.Dir, "google", "plugins/google")
	must(t, err)
	must(t, os.WriteFile(filepath.Join(cfg.Plugins.Dir, "evergrant-provider-broken"), []byte("#!/bin/sh\necho first >&2\necho it is broken >&2\nexit 1\n"), 0o755))
	found := looked(t, doctor.Options{Config: cfg})
	expect(t, found, "plugins", doctor.OK, "starts and serves google")
	expect(t, found, "plugins", doctor.Fail, "broken does not run")
	expect(t, found, "plugins", doctor.Warn, "the sandbox is off")
	cfg.Plugins.Dir = filepath.Join(t.TempDir(), "none")
	expect(t, looked(t, doctor.Options{Config: cfg}), "plugins", doctor.Fail, "")
}

// shortFolder is one whose path leaves room for the name of a socket.
func shortFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "d") //nolint:usetesting // t.TempDir's path holds the test's name and is too long
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// A check that breaks is a finding, and the others are made.
func TestACheckThatBreaksDoesNotEndTheOthers(t *testing.T) {
	t.Parallel()
	found := doctor.Run(t.Context(), []doctor.Check{
		{Name: "first", Look: func(context.Context) []doctor.Finding { panic("not\nforeseen") }},
		{Name: "second", Look: func(context.Context) []doctor.Finding { return []doctor.Finding{{Level: doctor.OK, What: "well"}} }},
	})
	expect(t, found, "first", doctor.Fail, "not; foreseen")
	expect(t, found, "second", doctor.OK, "well")
}
