package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/evergrant/evergrant/hub/internal/identity"
	"github.com/evergrant/evergrant/hub/internal/newest"
	"github.com/evergrant/evergrant/hub/internal/seal"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/replicadb"
)

// Target says where to restore to.
type Target struct {
	Database store.Options
	// DataDir gets the newest token sets that the backup has; "" leaves them out.
	DataDir string
	Box     *seal.Box
	// Replace lets rows be replaced.
	Replace bool
	// Progress is called after each table; optional.
	Progress func(table string, rows int64)
}

// signedIn are the tables of who is signed in where. They are not restored: a session that
// was ended after the backup must not come back, so everybody logs in again.
var signedIn = []string{"sessions", "user_sessions"}

// Restore checks a whole backup, fills a new database beside the one that is there, opens
// every sealed value in it, leaves a mark for the hubs to see, and puts it into place at
// once. Errors: ErrDamaged, and those of store.BeginLoad.
func Restore(ctx context.Context, file string, to Target) (s Summary, err error) {
	if s, err = Read(ctx, file, to.Box); err != nil {
		return s, err
	}
	f, err := os.Open(file)
	if err != nil {
		return s, fmt.Errorf("open the backup: %w", err)
	}
	defer func() { _ = f.Close() }()
	replaced := replacesOriginal(ctx, to)
	l := &loader{to: to}
	defer func() { err = errors.Join(err, l.close()) }()
	if s, err = l.load(ctx, f); err != nil {
		return s, err
	}
	for _, table := range signedIn {
		if err := l.into.Empty(ctx, table); err != nil {
			return s, err
		}
	}
	if err := l.into.Set(ctx, replicadb.RestoredKey, restoredMark(s)); err != nil {
		return s, err
	}
	if replaced { // the hub need not ask whether this is a copy
		if err := l.into.Unset(ctx, identity.SettingDataPlace); err != nil {
			return s, err
		}
	}
	if err := l.into.Commit(ctx); err != nil {
		return s, err
	}
	return s, l.keepNewest(ctx)
}

// replacesOriginal reports whether the target is the SQLite file that a hub has used here:
// what takes its place is no copy. Anywhere else the original may still be in use.
func replacesOriginal(ctx context.Context, to Target) bool {
	file := to.Database.File()
	if file == "" {
		return false
	}
	here, err := identity.PlaceOf(file)
	if err != nil {
		return false
	}
	in, err := store.Inspect(ctx, to.Database)
	if err != nil {
		return false
	}
	defer func() { _ = in.Close() }()
	var before identity.DataPlace
	value, err := in.Setting(ctx, identity.SettingDataPlace)
	return err == nil && json.Unmarshal([]byte(value), &before) == nil && before.Same(here)
}

func restoredMark(s Summary) string {
	text, _ := json.Marshal(replicadb.Restored{BackupID: s.Header.ID, BackupAt: s.Header.MadeAt, At: time.Now().UTC().Truncate(time.Millisecond), Version: s.Manifest.Version}) // plain values
	return string(text)
}

// Read proves that a file is as it was written: authentication, form and counts.
func Read(ctx context.Context, file string, box *seal.Box) (Summary, error) {
	f, err := os.Open(file)
	if err != nil {
		return Summary{}, fmt.Errorf("open the backup: %w", err)
	}
	defer func() { _ = f.Close() }()
	return read(ctx, f, box, counting)
}

// loader fills a database from a backup.
type loader struct {
	to     Target
	into   *store.Loading
	newest []newest.Sealed
}

func (l *loader) close() error {
	if l.into == nil {
		return nil
	}
	return l.into.Close()
}

// load fills in all rows, brings the tables up to date and opens every sealed value.
func (l *loader) load(ctx context.Context, from io.Reader) (Summary, error) {
	if l.to.Progress == nil {
		l.to.Progress = func(string, int64) {}
	}
	l.to.Database.Box = l.to.Box
	s, err := read(ctx, from, l.to.Box, taker{
		begin: func(m Manifest) (err error) {
			l.into, err = store.BeginLoad(ctx, l.to.Database, m.Schema, l.to.Replace)
			return err
		},
		table: func(t store.Table, next func() ([]any, error)) (int64, error) {
			n, err := l.into.Fill(ctx, t, next)
			if err == nil {
				l.to.Progress(t.Name, n)
			}
			return n, err
		},
		newest: func(e newest.Sealed) error {
			l.newest = append(l.newest, e)
			return e.Check(l.to.Box)
		},
	})
	if err != nil {
		return s, err
	}
	if err := l.into.Upgrade(ctx); err != nil {
		return s, err
	}
	s.Sealed, err = l.into.OpenSealed(ctx)
	return s, err
}

// keepNewest puts the token sets of the backup into the data folder. What is newer there
// stays.
func (l *loader) keepNewest(ctx context.Context) error {
	if l.to.DataDir == "" || len(l.newest) == 0 {
		return nil
	}
	k, err := newest.Open(l.to.DataDir, l.to.Box, nil)
	if err != nil {
		return fmt.Errorf("the database is restored, but the newest token sets of the backup could not be put into the data folder: %w", err)
	}
	return errors.Join(k.PutSealed(ctx, l.newest...), k.Close())
}
