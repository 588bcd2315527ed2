package doctor_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/doctor"
	"github.com/evergrant/evergrant/hub/internal/journal"
	"github.com/evergrant/evergrant/hub/internal/seal"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/replicadb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

// A folder that knows of a later start than the database shows that the database went back.
func TestAFolderIsHeldAgainstItsDatabase(t *testing.T) {
	t.Parallel()
	cfg, s := used(t)
	storetest.Enter(t, s, "first")
	mark := func(m journal.Mark) {
		box, err := seal.Open(cfg.Key.File)
		must(t, err)
		j, err := journal.Open(filepath.Join(cfg.DataDir, "journal"), box, hclog.NewNullLogger())
		must(t, err)
		must(t, j.SetMark(m))
		must(t, j.Close())
	}
	mark(journal.Mark{Replica: "first", Epoch: 7, Beat: 3})
	expect(t, looked(t, doctor.Options{Config: cfg}), "replicas", doctor.Fail, "the database is older")
	if _, err := s.Replicas.EnterReplica(t.Context(), replicadb.Replica{ID: "first", Epoch: 2, Name: "first"}, 1); err != nil {
		t.Fatal(err)
	}
	mark(journal.Mark{Replica: "first", Epoch: 1, Beat: 0})
	expect(t, looked(t, doctor.Options{Config: cfg}), "replicas", doctor.Warn, "a copy or an older one")
}

// What a restore of the database left to wait for, and then to decide, is told.
func TestARestoreIsToldOfUntilAllIsDecided(t *testing.T) {
	t.Parallel()
	cfg, s := used(t)
	restore := replicadb.Restore{ID: store.NewID(), Cause: replicadb.RestoreBackup, NoticedBy: "first"}
	if _, err := s.Replicas.BeginRestore(t.Context(), restore, time.Hour, []replicadb.Replica{{ID: "second", Name: "second"}}); err != nil {
		t.Fatal(err)
	}
	expect(t, looked(t, doctor.Options{Config: cfg}), "restore", doctor.Warn, "for second (second)")
	must(t, s.Replicas.Compared(t.Context(), restore.ID, replicadb.Replica{ID: "second", Name: "second"}, 0))
	expect(t, looked(t, doctor.Options{Config: cfg}), "restore", doctor.Warn, "for hubs to compare")
	if _, _, err := s.Replicas.EndRestore(t.Context(), restore.ID, true); err != nil {
		t.Fatal(err)
	}
	expect(t, looked(t, doctor.Options{Config: cfg}), "restore", doctor.OK, "all is compared and decided")
}

// A journal with a damaged reply is a failure, before the next start and after it.
func TestADamagedJournalIsAFailure(t *testing.T) {
	t.Parallel()
	cfg, _ := used(t)
	dir := filepath.Join(cfg.DataDir, "journal")
	box, err := seal.Open(cfg.Key.File)
	must(t, err)
	open := func() *journal.Journal {
		j, err := journal.Open(dir, box, hclog.NewNullLogger())
		must(t, err)
		return j
	}
	j := open()
	for _, id := range []string{"first", "second", "third"} {
		must(t, j.Begin(id, []byte("what is kept of "+id)))
	}
	must(t, j.Close())
	segments, err := filepath.Glob(filepath.Join(dir, "*"))
	must(t, err)
	for _, segment := range segments {
		data, err := os.ReadFile(segment)
		if err != nil || len(data) < 200 {
			continue
		}
		data[len(data)/2] ^= 0xff
		must(t, os.WriteFile(segment, data, 0o600))
	}
	expect(t, looked(t, doctor.Options{Config: cfg}), "journal", doctor.Fail, "cannot be read")
	must(t, open().Close())
	expect(t, looked(t, doctor.Options{Config: cfg}), "journal", doctor.Fail, "was damaged")
	must(t, os.MkdirAll(filepath.Join(cfg.DataDir, "pulls"), 0o700))
	must(t, os.RemoveAll(dir))
	expect(t, looked(t, doctor.Options{Config: cfg}), "journal", doctor.Fail, "is gone")
}
