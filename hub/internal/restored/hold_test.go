package restored_test

import (
	"maps"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/journal"
	"github.com/evergrant/evergrant/hub/internal/restored"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/renewaldb"
	"github.com/evergrant/evergrant/hub/internal/store/replicadb"
	"github.com/evergrant/evergrant/hub/internal/waittest"
)

// What folder and database know of how far they have got tells that the database went back,
// each in a way of its own.
func TestADatabaseThatWentBackIsNoticedAtTheStart(t *testing.T) {
	for name, tt := range map[string]struct {
		back  func(t *testing.T, db *database, r *replica)
		found restored.Comparison
		want  string
	}{
		"nothing happened":              {func(*testing.T, *database, *replica) {}, restored.Comparison{}, ""},
		"to before the last start":      {func(t *testing.T, db *database, _ *replica) { db.exec(t, `DELETE FROM replicas`) }, restored.Comparison{}, replicadb.RestoreDatabase},
		"to an earlier sign of life":    {func(t *testing.T, db *database, _ *replica) { db.exec(t, `UPDATE replicas SET beat = beat - 1`) }, restored.Comparison{}, replicadb.RestoreDatabase},
		"within a sign of life":         {func(*testing.T, *database, *replica) {}, restored.Comparison{Forwarded: 1, Lost: true}, replicadb.RestoreTokenSets},
		"only a save did not arrive":    {func(*testing.T, *database, *replica) {}, restored.Comparison{Forwarded: 1}, ""},
		"by evergrant restore":          {func(t *testing.T, db *database, _ *replica) { db.exec(t, markOfARestore) }, restored.Comparison{}, replicadb.RestoreBackup},
		"the folder is the older one":   {func(t *testing.T, _ *database, r *replica) { r.older(t) }, restored.Comparison{}, ""},
		"to before the restore it knew": {func(t *testing.T, db *database, r *replica) { r.knew(t, "gone") }, restored.Comparison{}, replicadb.RestoreDatabase},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, db *database) {
				dir := filepath.Join(t.TempDir(), "one")
				r := db.start(t, dir, restored.Comparison{})
				r.beat(t)
				r.beat(t)
				r.beat(t)
				tt.back(t, db, r)
				r.stop(t)
				again := db.start(t, dir, tt.found)
				db.wants(t, tt.want, false) // it is the only one, and has compared
				if again.Held() {
					t.Error("renewals are held, and there is nobody to wait for")
				}
				again.stop(t)
				before, err := db.Replicas.Restores(t.Context())
				must(t, err)
				db.start(t, dir, restored.Comparison{})
				if after, err := db.Replicas.Restores(t.Context()); err != nil || after.Newest != before.Newest {
					t.Errorf("the next start takes it for another one: %+v, %v", after.Newest, err)
				}
			})
		})
	}
}

const markOfARestore = `INSERT INTO settings (key, value) VALUES ('data.restored', '{"backup_id":"b","backup_at":"2026-01-01T00:00:00Z","at":"2026-02-01T00:00:00Z"}')`

// older puts an older mark into the folder.
func (r *replica) older(t *testing.T) {
	t.Helper()
	m := r.journal.Mark()
	must(t, r.journal.SetMark(journal.Mark{Replica: m.Replica, Epoch: m.Epoch}))
}

// knew has the folder know of a restore.
func (r *replica) knew(t *testing.T, id string) {
	t.Helper()
	must(t, r.newest.SetMark(t.Context(), "restore", id))
}

// Replicas which saw nothing hold as well, a restart keeps the hold, and it ends when the
// last one has compared.
func TestRenewalsThatRotateWaitUntilAllReplicasHaveCompared(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		dir := t.TempDir()
		one, two := db.start(t, filepath.Join(dir, "one"), restored.Comparison{}), db.start(t, filepath.Join(dir, "two"), restored.Comparison{})
		three := db.start(t, filepath.Join(dir, "three"), restored.Comparison{})
		for range 3 {
			one.beat(t)
			two.beat(t)
			three.beat(t)
		}
		three.stop(t)
		c := db.add(t, time.Hour, nil)
		fixed := c
		fixed.Policy.Rotation.Kind = "none"
		db.exec(t, `UPDATE replicas SET beat = beat - 1 WHERE name = 'one'`) // as a standby that lagged
		must(t, one.identity.Confirm(t.Context()))
		if one.Holds(c) != connection.CauseRestored || one.Holds(fixed) != "" {
			t.Error("renewals go on between the notice and the look")
		}
		must(t, one.Look(t.Context()))
		r := db.wants(t, replicadb.RestoreDatabase, true)
		must(t, two.Look(t.Context()))
		if two.compared != 1 || two.Holds(c) != connection.CauseRestored || one.Holds(c) != connection.CauseRestored {
			t.Errorf("the other one has compared %d times and holds %q", two.compared, two.Holds(c))
		}
		two.stop(t)
		two = db.start(t, two.dir, restored.Comparison{})
		if two.Holds(c) != connection.CauseRestored {
			t.Error("a restart ends the hold")
		}
		three = db.start(t, three.dir, restored.Comparison{Forwarded: 4})
		if ended := db.wants(t, replicadb.RestoreDatabase, false); ended.ID != r.ID {
			t.Errorf("it is another restore: %+v", ended)
		}
		must(t, one.Look(t.Context()))
		must(t, two.Look(t.Context()))
		if one.Holds(c)+two.Holds(c)+three.Holds(c) != "" {
			t.Error("renewals are still held")
		}
		all, err := db.Replicas.RestoreReplicas(t.Context(), r.ID)
		must(t, err)
		forwarded := 0
		for _, x := range all {
			forwarded += x.Forwarded
		}
		if len(all) != 3 || forwarded != 4 {
			t.Errorf("%+v", all)
		}
	})
}

// After a failover each replica's own signs of life went back; that is one restore.
func TestOneRestoreIsNotNoticedTwice(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		dir := t.TempDir()
		one, two := db.start(t, filepath.Join(dir, "one"), restored.Comparison{}), db.start(t, filepath.Join(dir, "two"), restored.Comparison{})
		for range 3 {
			one.beat(t)
			two.beat(t)
		}
		db.exec(t, `UPDATE replicas SET beat = beat - 2`)
		one.beat(t)
		must(t, two.Look(t.Context())) // it is told, compares, and the hold is over
		r := db.wants(t, replicadb.RestoreDatabase, false)
		two.beat(t)
		if again := db.wants(t, replicadb.RestoreDatabase, false); again.ID != r.ID {
			t.Error("the second replica takes it for another restore")
		}
		db.exec(t, `UPDATE replicas SET beat = beat - 1 WHERE left_at = 0 AND fenced_at = 0`)
		one.beat(t)
		one.beat(t)
		db.exec(t, `UPDATE replicas SET beat = beat - 1 WHERE fenced_at = 0 AND name = 'one'`)
		one.beat(t)
		if again := db.wants(t, replicadb.RestoreDatabase, true); again.ID == r.ID {
			t.Error("a second restore is taken for the first")
		}
	})
}

// Renewals that meet rows of the old state tell of it one by one, some only after this hub
// has compared. A row that is older after that is of another restore.
func TestRowsReadBeforeTheComparisonTellOfNoSecondRestore(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		r := db.start(t, filepath.Join(t.TempDir(), "one"), restored.Comparison{})
		r.beat(t)
		r.beat(t)
		read := time.Now()
		db.exec(t, `UPDATE replicas SET beat = beat - 2`)
		r.NoticeLost(read)
		r.beat(t)
		first := db.wants(t, replicadb.RestoreDatabase, false)
		r.NoticeLost(read)
		if !r.Held() {
			t.Error("nothing is held until it was looked at")
		}
		must(t, r.Look(t.Context()))
		if again := db.wants(t, replicadb.RestoreDatabase, false); again.ID != first.ID || r.Held() {
			t.Error("a row of before is taken for another restore")
		}
		r.NoticeLost(time.Now())
		must(t, r.Look(t.Context()))
		if again := db.wants(t, replicadb.RestoreTokenSets, false); again.ID == first.ID {
			t.Error("a row of after it is taken for the same restore")
		}
	})
}

func TestReplicasAreWaitedForOnlySoLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := open(t, "sqlite:"+filepath.Join(t.TempDir(), "evergrant.db"))
		dir := t.TempDir()
		lost := db.start(t, filepath.Join(dir, "lost"), restored.Comparison{})
		lost.beat(t)
		lost.stop(t)
		one := db.start(t, filepath.Join(dir, "one"), restored.Comparison{})
		one.beat(t)
		one.beat(t)
		due := db.add(t, -time.Minute, nil)
		db.exec(t, `UPDATE replicas SET beat = beat - 1 WHERE name = 'one'`)
		one.beat(t)
		r := db.wants(t, replicadb.RestoreDatabase, true)
		waittest.Let(time.Until(r.Until) - time.Second)
		one.beat(t)
		db.wants(t, replicadb.RestoreDatabase, true)
		waittest.Let(2 * time.Second)
		one.beat(t)
		db.wants(t, replicadb.RestoreDatabase, false)
		if one.Holds(due) != connection.CauseBehind {
			t.Errorf("what the lost replica may have renewed holds %q", one.Holds(due))
		}
		late := db.start(t, lost.dir, restored.Comparison{Forwarded: 1})
		if again := db.wants(t, replicadb.RestoreDatabase, false); again.ID != r.ID || late.Held() {
			t.Error("the one that comes late begins another hold")
		}
	})
}

// Only what may have been renewed between the backup and its restore is listed, and leaves
// the list with a new authorization.
func TestWhatMayHaveBeenRenewedSinceTheBackupIsBehindIt(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		dir := t.TempDir()
		one := db.start(t, filepath.Join(dir, "one"), restored.Comparison{})
		two := db.start(t, filepath.Join(dir, "two"), restored.Comparison{})
		for range 3 {
			one.beat(t)
			two.beat(t)
		}
		due, early := db.add(t, -time.Minute, nil), db.add(t, time.Hour, nil)
		paused := db.add(t, -time.Minute, func(c *connection.Connection) { *c = c.Paused(time.Now()); c.Due = time.Now().Add(-time.Minute) })
		demanded := db.add(t, 0, func(c *connection.Connection) { c.Due, c.Tokens.ExpiresAt = time.Time{}, time.Now().Add(-time.Second) })
		db.add(t, -time.Minute, func(c *connection.Connection) { c.Policy.Rotation.Kind = "none" })
		renewing := db.add(t, time.Hour, nil)
		if ok, err := db.Renewals.TakeLease(t.Context(), renewing.ID, two.identity.Owner(), time.Hour); err != nil || !ok {
			t.Fatal(ok, err)
		}
		now := time.Now()
		must(t, db.Renewals.BeginIntent(t.Context(), renewaldb.Intent{ID: store.NewID(), ConnectionID: renewing.ID, Generation: 1, Owner: two.identity.Owner(), StartedAt: now, BegunAt: now, SendBy: now, Deadline: now}))
		forwarded, later := db.add(t, -time.Minute, nil), db.add(t, time.Hour, nil)

		db.exec(t, `UPDATE replicas SET beat = beat - 1 WHERE name = 'one'`)
		one.beat(t)
		forwarded.Generation = 2
		must(t, db.Renewals.SaveRenewal(t.Context(), forwarded, 1, "", ""))
		two.compares = restored.Comparison{Later: []string{later.ID}}
		two.beat(t)
		db.wants(t, replicadb.RestoreDatabase, false)
		must(t, one.Look(t.Context()))
		want := map[string]string{
			due.Name: replicadb.BehindDue, paused.Name: replicadb.BehindDue, demanded.Name: replicadb.BehindExpired, renewing.Name: replicadb.BehindRenewing, later.Name: replicadb.BehindAuthorized,
		}
		if got := db.listed(t); !maps.Equal(got, want) {
			t.Fatalf("listed are %v, want %v", got, want)
		}
		for _, r := range []*replica{one, two} {
			for c, held := range map[*connection.Connection]connection.CauseKind{&due: connection.CauseBehind, &early: "", &forwarded: "", &later: connection.CauseBehind} {
				if got := r.Holds(*c); got != held {
					t.Errorf("%s is held for %q, want %q", c.Name, got, held)
				}
			}
		}
		row, err := db.Grants.Connection(t.Context(), due.ID)
		must(t, err)
		if row.Cause != string(connection.CauseBehind) {
			t.Errorf("nobody is told: %q", row.Cause)
		}

		again := due.Granted(now, now, due.Tokens.Token(now), due.Account, nil)
		must(t, db.Grants.UpdateConnection(t.Context(), again, row))
		decided, _, err := db.Replicas.DecideBehind(t.Context(), []string{due.Name, paused.Name}, replicadb.DecideTryOnce, "anna")
		must(t, err)
		if len(decided) != 1 || decided[0] != paused.Name {
			t.Errorf("decided is %v", decided)
		}
		must(t, one.Look(t.Context()))
		if one.Holds(again)+one.Holds(paused) != "" {
			t.Error("what was authorized anew or decided about is still held")
		}
		if got := db.listed(t); len(got) != 3 {
			t.Errorf("listed are %v", got)
		}
	})
}

// With an embedded database the one folder has all there is.
func TestWithAnEmbeddedDatabaseNothingIsBehindWhatItsFolderHas(t *testing.T) {
	for name, tt := range map[string]struct {
		folder func(t *testing.T, r *replica)
		want   int
	}{
		"the folder is older than the backup": {func(*testing.T, *replica) {}, 0},
		"the folder is new":                   {func(t *testing.T, r *replica) { must(t, r.newest.Truncated(t.Context())) }, 1},
		"its file was put back from a copy": {func(t *testing.T, r *replica) {
			must(t, r.newest.SetMark(t.Context(), "run", r.identity.Self().ID+"/0"))
		}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			db := open(t, "sqlite:"+filepath.Join(t.TempDir(), "evergrant.db"))
			dir := filepath.Join(t.TempDir(), "one")
			r := db.start(t, dir, restored.Comparison{})
			for range 3 {
				r.beat(t)
			}
			db.add(t, -time.Minute, nil)
			tt.folder(t, r)
			db.exec(t, `UPDATE replicas SET beat = beat - 1`)
			r.stop(t)
			db.start(t, dir, restored.Comparison{})
			db.wants(t, replicadb.RestoreDatabase, false)
			if got := db.listed(t); len(got) != tt.want {
				t.Errorf("listed are %v", got)
			}
		})
	}
}

// Between a failover to a standby that lagged and the next sign of life nothing is begun.
func TestNoLeaseIsTakenInADatabaseThatForgotASignOfLife(t *testing.T) {
	each(t, func(t *testing.T, db *database) {
		one := db.start(t, filepath.Join(t.TempDir(), "one"), restored.Comparison{})
		one.beat(t)
		one.beat(t)
		c := db.add(t, -time.Minute, nil)
		db.exec(t, `UPDATE replicas SET beat = beat - 1`)
		if ok, err := db.Renewals.TakeLease(t.Context(), c.ID, one.identity.Owner(), time.Hour); err != nil || ok {
			t.Errorf("a lease is taken: %v", err)
		}
		if due, err := db.Renewals.ClaimDue(t.Context(), time.Now(), one.identity.Owner(), time.Hour, 1, 9); err != nil || len(due) > 0 {
			t.Errorf("%d are claimed: %v", len(due), err)
		}
		one.beat(t)
		db.wants(t, replicadb.RestoreDatabase, false)
		if ok, err := db.Renewals.TakeLease(t.Context(), c.ID, one.identity.Owner(), time.Hour); err != nil || !ok {
			t.Errorf("no lease is taken afterwards: %v", err)
		}
	})
}
