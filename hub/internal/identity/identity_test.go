package identity_test

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/identity"
	"github.com/evergrant/evergrant/hub/internal/journal"
	"github.com/evergrant/evergrant/hub/internal/seal"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/renewaldb"
	"github.com/evergrant/evergrant/hub/internal/store/replicadb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/hub/internal/waittest"
	"github.com/evergrant/evergrant/sdk/provider"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// run is a hub as far as its identity goes.
type run struct {
	*identity.Identity
	journal *journal.Journal
}

func start(t *testing.T, s *store.Store, box *seal.Box, dir string) run {
	t.Helper()
	j, err := journal.Open(dir, box, nil)
	must(t, err)
	t.Cleanup(func() { _ = j.Close() })
	i, err := identity.Enter(t.Context(), identity.Options{Store: s, Journal: j, Name: filepath.Base(dir)})
	must(t, err)
	return run{i, j}
}

func (r run) kinds() (kinds []identity.Kind) {
	for _, n := range r.Notices() {
		kinds = append(kinds, n.Kind)
	}
	return kinds
}

func (r run) wants(t *testing.T, what string, epoch int64, kinds ...identity.Kind) {
	t.Helper()
	if got := r.Self().Epoch; got != epoch || !slices.Equal(r.kinds(), kinds) {
		t.Fatalf("%s has epoch %d and says %v, want %d and %v", what, got, r.kinds(), epoch, kinds)
	}
	if mark := r.journal.Mark(); mark.Epoch != epoch || mark.Replica != r.Self().ID {
		t.Fatalf("the folder of %s says %+v", what, mark)
	}
}

// copied copies a folder, as a snapshot of a disk does.
func copied(t *testing.T, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy")
	must(t, os.CopyFS(to, os.DirFS(dir)))
	return to
}

var lastService int

func granted(t *testing.T, s *store.Store) connection.Connection {
	t.Helper()
	lastService++
	now := time.Now()
	svc := service.Service{ID: store.NewID(), Name: fmt.Sprint("svc-", lastService), Title: "svc", Provider: "x", CreatedAt: now, UpdatedAt: now}
	must(t, s.Services.CreateService(t.Context(), svc))
	c := connection.New(now, store.NewID(), svc.Name, svc.Name, svc.ID, connection.Policy{AutoRenew: provider.AutoRenewRefreshToken}).
		Granted(now, now, provider.Token{AccessToken: "a", RefreshToken: "r", ExpiresIn: new(time.Hour)}, provider.Account{}, nil)
	must(t, s.Grants.CreateConnection(t.Context(), c))
	return c
}

// begun has a run begin a renewal and returns it.
func begun(t *testing.T, s *store.Store, r run) renewaldb.Intent {
	t.Helper()
	c, now := granted(t, s), time.Now()
	if ok, err := s.Renewals.TakeLease(t.Context(), c.ID, r.Owner(), time.Hour); err != nil || !ok {
		t.Fatal(ok, err)
	}
	i := renewaldb.Intent{ID: store.NewID(), ConnectionID: c.ID, Generation: 1, Owner: r.Owner(), StartedAt: now, BegunAt: now, SendBy: now, Deadline: now}
	must(t, s.Renewals.BeginIntent(t.Context(), i))
	return i
}

func ownerOf(t *testing.T, s *store.Store, i renewaldb.Intent) string {
	t.Helper()
	open, err := s.Renewals.OpenIntent(t.Context(), i.ConnectionID)
	must(t, err)
	return open.Owner
}

func TestARestartTakesUpAtOnceWhatItsLastRunLeft(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		box, dir := storetest.Box(t), filepath.Join(storetest.Folder(t), "journal")
		first := start(t, s, box, dir)
		first.wants(t, "the first run", 1)
		left, old := begun(t, s, first), first.Owner()
		must(t, first.journal.Close()) // as after a crash

		again := start(t, s, box, dir)
		again.wants(t, "the restart", 2)
		if again.Self().ID != first.Self().ID || ownerOf(t, s, left) != again.Owner() {
			t.Errorf("%s owns what %s left; the restart is %s", ownerOf(t, s, left), old, again.Owner())
		}
		if ok, err := s.Renewals.TakeLease(t.Context(), left.ConnectionID, again.Owner(), time.Minute); err != nil || !ok {
			t.Errorf("the lease of the last run is not free: %v", err)
		}
	})
}

func TestAnOlderEpochBeginsNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		box, dir := storetest.Box(t), filepath.Join(storetest.Folder(t), "journal")
		old := start(t, s, box, dir)
		leased, free := granted(t, s), granted(t, s)
		if ok, err := s.Renewals.TakeLease(t.Context(), leased.ID, old.Owner(), time.Hour); err != nil || !ok {
			t.Fatal(ok, err)
		}
		start(t, s, box, copied(t, dir)).wants(t, "the copy", 2)

		now := time.Now()
		err := s.Renewals.BeginIntent(t.Context(), renewaldb.Intent{ID: store.NewID(), ConnectionID: leased.ID, Generation: 1, Owner: old.Owner(), StartedAt: now, BegunAt: now})
		if !errors.Is(err, store.ErrFenced) {
			t.Errorf("a renewal of the older epoch began: %v", err)
		}
		if ok, err := s.Renewals.TakeLease(t.Context(), free.ID, old.Owner(), time.Hour); err != nil || ok {
			t.Errorf("the older epoch took a lease: %v", err)
		}
		if got, err := s.Renewals.ClaimDue(t.Context(), now.AddDate(1, 0, 0), old.Owner(), time.Hour, 1, 9); err != nil || len(got) > 0 {
			t.Errorf("the older epoch claimed %d: %v", len(got), err)
		}
	})
}

func TestACopiedFolderAndItsOriginalGoOnAsTwoReplicas(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		box, dir := storetest.Box(t), filepath.Join(storetest.Folder(t), "journal")
		original := start(t, s, box, dir)
		must(t, original.Confirm(t.Context()))
		inFlight := begun(t, s, original)
		at := copied(t, dir)
		must(t, original.Confirm(t.Context()))
		must(t, original.Confirm(t.Context()))
		clone := start(t, s, box, at)
		clone.wants(t, "the copy", 2, identity.FolderBack)
		if owner := ownerOf(t, s, inFlight); owner != original.Owner() {
			t.Fatalf("the copy took up a renewal under way of the original: it is %s's", owner)
		}

		must(t, original.Confirm(t.Context()))
		original.wants(t, "the original", 1, identity.Fenced)
		if original.Self().ID == clone.Self().ID || ownerOf(t, s, inFlight) != original.Owner() {
			t.Errorf("the original is %s, and what it has under way is %s's", original.Owner(), ownerOf(t, s, inFlight))
		}
		begun(t, s, original) // it goes on
		begun(t, s, clone)

		must(t, original.journal.Close())
		again := start(t, s, box, dir)
		again.wants(t, "the original, started again while the copy lives", 2)
		if ownerOf(t, s, inFlight) != again.Owner() {
			t.Errorf("what the original left is %s's", ownerOf(t, s, inFlight))
		}
		must(t, clone.Confirm(t.Context()))
		clone.wants(t, "the copy after that", 2, identity.FolderBack)
	})
}

func TestAnOlderFolderGoesOnAsANewReplica(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		box, dir := storetest.Box(t), filepath.Join(storetest.Folder(t), "journal")
		first := start(t, s, box, dir)
		at := copied(t, dir)
		must(t, first.journal.Close())
		second := start(t, s, box, dir)
		open := begun(t, s, second)

		restored := start(t, s, box, at)
		restored.wants(t, "the older folder", 1, identity.Copied)
		if restored.Self().ID == second.Self().ID || ownerOf(t, s, open) != second.Owner() {
			t.Errorf("the older folder is %s, the renewal of %s is %s's", restored.Owner(), second.Owner(), ownerOf(t, s, open))
		}
		must(t, second.Confirm(t.Context()))
		second.wants(t, "the current run", 2)
	})
}

// A volume that was moved to another machine looks like a copy, except that its last run
// gave no sign of life that the volume does not know of, and gives none any more.
func TestWhatAMovedFolderLeftIsTakenUpOnceItsLastRunIsSilent(t *testing.T) {
	for name, tt := range map[string]struct {
		goesOn bool
		want   bool
	}{"moved": {false, true}, "copied, and the original went on": {true, false}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, box, dir := storetest.SQLite(t), storetest.Box(t), filepath.Join(storetest.Folder(t), "journal")
				first := start(t, s, box, dir)
				must(t, first.Confirm(t.Context()))
				left := begun(t, s, first)
				at := copied(t, dir)
				if tt.goesOn {
					for range 3 {
						must(t, first.Confirm(t.Context()))
					}
				}
				moved := start(t, s, box, at)
				must(t, moved.Confirm(t.Context()))
				if ownerOf(t, s, left) == moved.Owner() {
					t.Fatal("it was taken up while its run may still live")
				}
				waittest.Let(16 * time.Second)
				must(t, moved.Confirm(t.Context()))
				if got := ownerOf(t, s, left) == moved.Owner(); got != tt.want {
					t.Errorf("taken up: %t", got)
				}
			})
		})
	}
}

func TestARunThatLeftIsTakenUpAtOnceWhereverItsFolderWent(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		box, dir := storetest.Box(t), filepath.Join(storetest.Folder(t), "journal")
		first := start(t, s, box, dir)
		left := begun(t, s, first)
		must(t, first.Leave(t.Context()))
		must(t, first.journal.Close())
		if again := start(t, s, box, copied(t, dir)); ownerOf(t, s, left) != again.Owner() {
			t.Error("a run that stopped by itself is waited for")
		}
	})
}

func TestAMachineThatWasCopiedWhileItRanIsNoticed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		r := start(t, s, storetest.Box(t), filepath.Join(storetest.Folder(t), "journal"))
		must(t, r.Confirm(t.Context()))
		old := r.Owner()
		mine, twins := begun(t, s, r), begun(t, s, r)
		r.SetInFlight(func() []string { return []string{mine.ConnectionID} })
		_, err := s.Replicas.Heartbeat(t.Context(), old, replicadb.Beat{Acked: 1, Tried: 2}) // the twin's
		must(t, err)
		_, err = s.Replicas.Heartbeat(t.Context(), old, replicadb.Beat{Acked: 2, Tried: 3})
		must(t, err)
		must(t, r.Confirm(t.Context()))
		r.wants(t, "the one that was second", 1, identity.Doubled)
		if ownerOf(t, s, mine) != r.Owner() || ownerOf(t, s, twins) != old {
			t.Errorf("it took %s and left %s", ownerOf(t, s, mine), ownerOf(t, s, twins))
		}
	})
}

func TestADatabaseThatWentBackIsNoticed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		box, dir := storetest.Box(t), filepath.Join(storetest.Folder(t), "journal")
		j, err := journal.Open(dir, box, nil)
		must(t, err)
		must(t, j.SetMark(journal.Mark{Replica: j.Replica(), Epoch: 7, Beat: 41}))
		must(t, j.Close())
		r := start(t, s, box, dir)
		r.wants(t, "the run", 8, identity.DatabaseBack)
		if back, went := r.DatabaseWentBack(); !went || back.Epoch != 7 || back.Beat != 41 || back.KnownEpoch != 0 || back.Running {
			t.Errorf("%t %+v", went, back)
		}
	})
}

func TestADatabaseThatWentBackUnderARunningHubIsNoticed(t *testing.T) {
	for name, statement := range map[string]string{
		"to before its start":        "DELETE FROM replicas",
		"to an earlier sign of life": "UPDATE replicas SET beat = beat - 1",
		"to its last run":            "UPDATE replicas SET epoch = 0, owner = id || '/0'",
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "evergrant.db")
			s := storetest.Open(t, "sqlite:"+file)
			r := start(t, s, storetest.Box(t), filepath.Join(storetest.Folder(t), "journal"))
			must(t, r.Confirm(t.Context()))
			must(t, r.Confirm(t.Context()))
			if _, went := r.DatabaseWentBack(); went {
				t.Fatal("it went back before anything happened")
			}
			db, err := sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(5000)")
			must(t, err)
			_, err = db.ExecContext(t.Context(), statement)
			must(t, errors.Join(err, db.Close()))

			must(t, r.Confirm(t.Context()))
			r.wants(t, "the run", 2, identity.DatabaseBack)
			if back, went := r.DatabaseWentBack(); !went || !back.Running || back.Epoch != 1 || back.Beat != 2 {
				t.Errorf("%t %+v", went, back)
			}
			begun(t, s, r)
		})
	}
}

// As when the process died between the database and the folder.
func TestAStartThatDidNotReachTheFolderIsNoCopy(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		box, dir := storetest.Box(t), filepath.Join(storetest.Folder(t), "journal")
		first := start(t, s, box, dir)
		mark := first.journal.Mark()
		must(t, first.journal.Close())
		second := start(t, s, box, dir)
		must(t, second.journal.SetMark(mark))
		must(t, second.journal.Close())
		again := start(t, s, box, dir)
		again.wants(t, "the next start", 3)
		if again.Self().ID != first.Self().ID {
			t.Error("it took itself for a copy")
		}
	})
}

// A folder that was restored from an image knows less than the database: nothing there is
// behind, and it is said all the same.
func TestAFolderThatWentBackIsNoticed(t *testing.T) {
	for name, mark := range map[string]journal.Mark{"by signs of life": {Epoch: 2, Beat: 1}, "by starts": {Epoch: 1, Beat: 4}} {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, s *store.Store) {
				box, dir := storetest.Box(t), filepath.Join(storetest.Folder(t), "journal")
				var last run
				for range 2 {
					last = start(t, s, box, dir)
					for range 4 {
						must(t, last.Confirm(t.Context()))
					}
					must(t, last.journal.Close())
				}
				j, err := journal.Open(dir, box, nil)
				must(t, err)
				mark.Replica = last.Self().ID
				must(t, j.SetMark(mark))
				must(t, j.Close())
				again := start(t, s, box, dir)
				again.wants(t, "the run", 3, identity.FolderBack)
				if _, back := again.DatabaseWentBack(); back {
					t.Error("the database is taken for the older one")
				}
			})
		})
	}
}
