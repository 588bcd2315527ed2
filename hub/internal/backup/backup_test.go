package backup_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/hub/internal/backup"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/newest"
	"github.com/evergrant/evergrant/hub/internal/seal"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/replicadb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

func save(t *testing.T, address string, box *seal.Box, dataDir string) (string, backup.Summary) {
	t.Helper()
	file, s, err := backup.Save(t.Context(), backup.Source{Database: options(address, box), DataDir: dataDir, Box: box, Version: "test"}, t.TempDir())
	check(t, err)
	return file, s
}

// same compares two databases row by row, without who is signed in and the settings that a
// restore leaves.
func same(t *testing.T, want, got map[string][]string) {
	t.Helper()
	for _, all := range []map[string][]string{want, got} {
		delete(all, "sessions")
		delete(all, "user_sessions")
		all["settings"] = slices.DeleteFunc(all["settings"], func(row string) bool { return strings.Contains(row, replicadb.RestoredKey) })
		for _, rows := range all {
			slices.Sort(rows)
		}
	}
	for table, rows := range want {
		if !slices.Equal(rows, got[table]) {
			t.Errorf("%s: %d rows of %d are there, or they differ:\n%v\n%v", table, len(got[table]), len(rows), first(rows), first(got[table]))
		}
	}
}

func first(rows []string) string {
	if len(rows) == 0 {
		return "none"
	}
	return rows[0]
}

func TestARestoreBringsEveryRowBackOnBothKindsOfDatabase(t *testing.T) {
	box := newBox(t)
	origin := filled(t, box, 3)
	want := content(t, origin)
	file, made := save(t, origin, box, t.TempDir())
	for table, rows := range want {
		if int(made.Rows[table]) != len(rows) || len(rows) == 0 {
			t.Errorf("%s: the backup has %d rows, the database %d", table, made.Rows[table], len(rows))
		}
	}
	t.Run("sqlite", func(t *testing.T) {
		to := "sqlite:" + filepath.Join(storetest.Folder(t), "new", "evergrant.db")
		restore(t, file, to, box, false)
		same(t, want, content(t, to))
	})
	t.Run("postgres and back", func(t *testing.T) {
		to := storetest.Postgres(t)
		restore(t, file, to, box, false)
		same(t, want, content(t, to))
		again, s := save(t, to, box, t.TempDir())
		if s.Manifest.Database != store.PostgreSQL {
			t.Errorf("the database is %s", s.Manifest.Database)
		}
		back := "sqlite:" + filepath.Join(storetest.Folder(t), "evergrant.db")
		restore(t, again, back, box, false)
		same(t, want, content(t, back))
		other := storetest.Postgres(t)
		restore(t, again, other, box, false)
		same(t, want, content(t, other))
	})
}

func restore(t *testing.T, file, address string, box *seal.Box, replace bool) {
	t.Helper()
	s, err := backup.Restore(t.Context(), file, backup.Target{Database: options(address, box), Box: box, Replace: replace})
	check(t, err)
	st, err := store.Open(t.Context(), options(address, box))
	check(t, err)
	defer func() { check(t, st.Close()) }()
	mark, err := st.Replicas.Restored(t.Context())
	check(t, err)
	if mark.BackupID != s.Header.ID || !mark.BackupAt.Equal(s.Header.MadeAt) || mark.Version != "test" {
		t.Errorf("the mark is %+v", mark)
	}
}

func TestADatabaseWithRowsIsReplacedOnlyWhenTold(t *testing.T) {
	box := newBox(t)
	origin := filled(t, box, 2)
	want := content(t, origin)
	file, _ := save(t, origin, box, t.TempDir())
	dir := t.TempDir()
	addresses := map[string]string{"sqlite": "sqlite:" + filepath.Join(dir, "evergrant.db")}
	if os.Getenv(storetest.PostgresVariable) != "" {
		addresses["postgres"] = storetest.Postgres(t)
	}
	for name, to := range addresses {
		t.Run(name, func(t *testing.T) {
			s, err := store.Open(t.Context(), options(to, box))
			check(t, err)
			check(t, s.SetSetting(t.Context(), "mine", "precious"))
			before := content(t, to)
			if name == "sqlite" {
				_, err = backup.Restore(t.Context(), file, backup.Target{Database: options(to, box), Box: box, Replace: true})
				if !errors.Is(err, store.ErrHubsRun) {
					t.Errorf("beside a hub that runs: %v", err)
				}
			}
			check(t, s.Close())
			_, err = backup.Restore(t.Context(), file, backup.Target{Database: options(to, box), Box: box})
			if !errors.Is(err, store.ErrNotEmpty) || !reflect.DeepEqual(before, content(t, to)) {
				t.Errorf("without being told: %v", err)
			}
			restore(t, file, to, box, true)
			same(t, want, content(t, to))
		})
	}
	kept, err := filepath.Glob(filepath.Join(dir, "evergrant.db.before-restore-*Z"))
	if err != nil || len(kept) != 1 {
		t.Errorf("the database that was replaced is not kept: %v %v", kept, err)
	}
}

func TestAChangedOrTruncatedBackupIsRefused(t *testing.T) {
	box := newBox(t)
	file, _ := save(t, filled(t, box, 2), box, t.TempDir())
	whole, err := os.ReadFile(file)
	check(t, err)
	refused := func(name string, data []byte) {
		t.Helper()
		path := filepath.Join(t.TempDir(), "changed")
		check(t, os.WriteFile(path, data, 0o600))
		to := filepath.Join(t.TempDir(), "evergrant.db")
		_, err := backup.Restore(t.Context(), path, backup.Target{Database: options("sqlite:"+to, box), Box: box})
		if !errors.Is(err, backup.ErrDamaged) && !errors.Is(err, seal.ErrOpen) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(to); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: something was written", name)
		}
	}
	head := bytes.IndexByte(whole[20:], '\n') + 21
	for _, at := range []int{3, 30, head - 10, head, head + 1, (head + len(whole)) / 2, len(whole) - 1} {
		changed := bytes.Clone(whole)
		changed[at] ^= 1
		refused("a flipped bit", changed)
	}
	for _, size := range []int{0, 10, head, head + 20, (head + len(whole)) / 2, len(whole) - 1} {
		refused("truncated", whole[:size])
	}
	refused("with something behind it", append(bytes.Clone(whole), whole[len(whole)-50:]...))
	if _, err := backup.Verify(t.Context(), file, newBox(t), nil); !errors.Is(err, seal.ErrOpen) || !strings.Contains(err.Error(), "needs the hub's key") {
		t.Errorf("with another key: %v", err)
	}
}

func TestVerifyProvesABackupAndFailsWhereAValueDoesNotOpen(t *testing.T) {
	box := newBox(t)
	origin := filled(t, box, 3)
	data := t.TempDir()
	k, err := newest.Open(data, box, nil)
	check(t, err)
	check(t, k.Put(t.Context(), newest.Entry{ConnectionID: "c", Ahead: connection.Ahead{Lineage: "l", Generation: 4, Tokens: connection.TokenSet{RefreshToken: secret}}}))
	check(t, k.Close())
	file, _ := save(t, origin, box, data)
	s, err := backup.Verify(t.Context(), file, box, nil)
	check(t, err)
	if s.Sealed < 12*3-4 || s.Newest != 1 {
		t.Errorf("%d sealed values, %d newest token sets", s.Sealed, s.Newest)
	}
	db := raw(t, origin)
	_, err = db.ExecContext(t.Context(), `UPDATE channels SET settings = (SELECT settings FROM channels WHERE id = 'channels-id-1') WHERE id = 'channels-id-2'`)
	check(t, err)
	file, _ = save(t, origin, box, data)
	if _, err := backup.Verify(t.Context(), file, box, nil); !errors.Is(err, seal.ErrOpen) || !strings.Contains(err.Error(), "channels.settings of channels-id-2") {
		t.Errorf("a value of another row: %v", err)
	}
}

func TestTheNewestTokenSetsComeBackAndNeverReplaceNewerOnes(t *testing.T) {
	box := newBox(t)
	put := func(dir string, generation int64) {
		k, err := newest.Open(dir, box, nil)
		check(t, err)
		check(t, k.Put(t.Context(), newest.Entry{ConnectionID: "c", Ahead: connection.Ahead{Lineage: "l", Generation: generation}}))
		check(t, k.Close())
	}
	from, empty, ahead := t.TempDir(), t.TempDir(), t.TempDir()
	put(from, 4)
	put(ahead, 9)
	file, _ := save(t, filled(t, box, 1), box, from)
	for dir, want := range map[string]int64{empty: 4, ahead: 9} {
		_, err := backup.Restore(t.Context(), file, backup.Target{Database: store.Options{DataDir: dir}, DataDir: dir, Box: box})
		check(t, err)
		k, err := newest.Open(dir, box, nil)
		check(t, err)
		e, ok, err := k.Newest(t.Context(), "c", "l")
		if check(t, err); !ok || e.Generation != want {
			t.Errorf("generation %d, want %d", e.Generation, want)
		}
		check(t, k.Close())
	}
}

func TestNoSecretIsReadableInABackup(t *testing.T) {
	box := newBox(t)
	file, _ := save(t, filled(t, box, 3), box, t.TempDir())
	info, err := os.Stat(file)
	check(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	data, err := os.ReadFile(file)
	check(t, err)
	for _, plain := range []string{secret, "connections", "users login", "sessions token"} {
		if bytes.Contains(data, []byte(plain)) {
			t.Errorf("the backup shows %q", plain)
		}
	}
}

func TestTheNewestBackupsAreKeptAndOtherFilesLeftAlone(t *testing.T) {
	dir := t.TempDir()
	names := []string{
		"evergrant-20300101T000000Z.evergrant-backup", "evergrant-20300102T000000Z.evergrant-backup", "evergrant-20300103T000000Z.evergrant-backup",
		"mine.evergrant-backup", "evergrant-20290101T000000Z.evergrant-backup.unfinished", "notes.txt",
	}
	for _, name := range names {
		check(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
	}
	removed, err := backup.Prune(dir, 2)
	check(t, err)
	if len(removed) != 1 || filepath.Base(removed[0]) != names[0] {
		t.Errorf("removed are %v", removed)
	}
	left, err := os.ReadDir(dir)
	if check(t, err); len(left) != len(names)-1 {
		t.Errorf("%d files are left", len(left))
	}
}

func TestABackupIsNeverOverwritten(t *testing.T) {
	box := newBox(t)
	address, dir := filled(t, box, 1), t.TempDir()
	src := backup.Source{Database: options(address, box), DataDir: dir, Box: box}
	one, _, err := backup.Save(t.Context(), src, dir)
	check(t, err)
	two, _, err := backup.Save(t.Context(), src, dir)
	if check(t, err); one == two {
		t.Error("two backups of one second have one name")
	}
	if _, _, err := backup.Save(t.Context(), src, one); err == nil {
		t.Error("a backup was overwritten")
	}
	found, err := backup.List(dir)
	if err != nil || len(found) != 2 {
		t.Errorf("%v %v", found, err)
	}
}

func TestABackupOfANewerVersionIsRefused(t *testing.T) {
	box := newBox(t)
	origin := filled(t, box, 1)
	_, err := raw(t, origin).ExecContext(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)`)
	check(t, err)
	file, _ := save(t, origin, box, t.TempDir())
	_, err = backup.Restore(t.Context(), file, backup.Target{Database: store.Options{DataDir: storetest.Folder(t)}, Box: box})
	if !errors.Is(err, store.ErrNewerSchema) || !strings.Contains(err.Error(), "run the newer one") {
		t.Errorf("%v", err)
	}
}
