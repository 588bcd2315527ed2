package doctor_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/config"
	"github.com/evergrant/evergrant/hub/internal/doctor"
	"github.com/evergrant/evergrant/hub/internal/journal"
	"github.com/evergrant/evergrant/hub/internal/newest"
	"github.com/evergrant/evergrant/hub/internal/seal"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/auditdb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

// fresh is the configuration of a hub that was never started.
func fresh(t *testing.T) config.Config {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	must(t, os.Mkdir(dir, 0o700))
	cfg := config.Config{DataDir: dir}
	cfg.Key.File = filepath.Join(dir, "evergrant.key")
	cfg.Plugins.Dir, cfg.Plugins.Sandbox = t.TempDir(), "off"
	return cfg
}

// used is the configuration of a hub whose database, key, journal and newest token sets
// are there; the store stays open, as a hub's that runs.
func used(t *testing.T) (config.Config, *store.Store) {
	t.Helper()
	cfg := fresh(t)
	box, err := seal.Create(cfg.Key.File)
	must(t, err)
	s := storetest.OpenWith(t, store.Options{DataDir: cfg.DataDir, Box: box})
	sealed(t, s)
	j, err := journal.Open(filepath.Join(cfg.DataDir, "journal"), box, hclog.NewNullLogger())
	must(t, err)
	must(t, j.Close())
	k, err := newest.Open(cfg.DataDir, box, hclog.NewNullLogger())
	must(t, err)
	must(t, k.Close())
	return cfg, s
}

// sealed puts something sealed into a store.
func sealed(t *testing.T, s *store.Store) {
	t.Helper()
	must(t, s.Audit.AppendAudit(t.Context(), auditdb.AuditRecord{At: time.Now(), ActorKind: "hub", Actor: "hub", Act: "test", Outcome: "done"}))
}

// looked runs every check.
func looked(t *testing.T, o doctor.Options) []doctor.Finding {
	t.Helper()
	checks, done := doctor.Checks(o)
	defer done()
	found := doctor.Run(t.Context(), checks)
	for _, f := range found {
		if f.What == "" || strings.Contains(f.What+f.Do, "\n") || f.Level == doctor.Fail && f.Do == "" {
			t.Errorf("%+v does not say in a line what to do", f)
		}
	}
	return found
}

// expect looks for a finding of a level that holds a text.
func expect(t *testing.T, found []doctor.Finding, check string, level doctor.Level, text string) {
	t.Helper()
	for _, f := range found {
		if f.Check == check && f.Level == level && strings.Contains(f.What, text) {
			return
		}
	}
	data, err := json.MarshalIndent(found, "", " ")
	must(t, err)
	t.Errorf("no %s of %s says %q:\n%s", level, check, text, data)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
