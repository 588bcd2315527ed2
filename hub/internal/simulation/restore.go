package simulation

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
)

// tormentors are those who stop and start replicas by themselves.
const tormentors = 4

// restore makes a backup of the database now and then, and puts it back when it has grown
// old: all replicas stop or crash, and start again with their own folders. The network is
// away until all of them have compared their folders with the database.
func (w *World) restore(ctx context.Context, end time.Time) error {
	for n := 0; ; n++ {
		nth := fmt.Sprint(n)
		<-time.After(w.fate.between(8*time.Minute, 40*time.Minute, "is backed up", nth))
		if !time.Now().Before(end) {
			return nil
		}
		backup := filepath.Join(w.o.Dir, "backup-"+nth+".db")
		dated := w.databaseOff.Load()
		if err := w.backup(ctx, backup); err != nil {
			return err
		}
		<-time.After(w.fate.between(0, 12*time.Minute, "grows old", nth))
		if !time.Now().Before(end) {
			return nil
		}
		for range tormentors {
			w.calm <- struct{}{}
		}
		var err error
		if dated == w.databaseOff.Load() { // or every date in it would be wrong
			err = w.putBack(ctx, backup, nth)
		}
		for range tormentors {
			<-w.calm
		}
		if err != nil {
			return fmt.Errorf("restore the database: %w", err)
		}
	}
}

func (w *World) databaseFile() string { return filepath.Join(w.dir, "evergrant.db") }

// backup copies the database at one moment.
func (w *World) backup(ctx context.Context, to string) error {
	db, err := sql.Open("sqlite", "file:"+w.databaseFile()+"?_pragma=busy_timeout(5000)")
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	_, err = db.ExecContext(ctx, "VACUUM INTO ?", to)
	return err
}

func (w *World) putBack(ctx context.Context, backup, nth string) error {
	w.network.down.Store(true)
	defer w.network.down.Store(false)
	var ran []*replica
	for _, r := range w.replicas {
		if r.alive() == nil {
			continue
		}
		ran = append(ran, r)
		if w.fate.happens(0.5, "is stopped for a restore", r.name, nth) {
			r.shut()
		} else {
			r.crash()
		}
	}
	for _, more := range []string{"-wal", "-shm"} {
		_ = os.Remove(w.databaseFile() + more)
	}
	if err := os.Rename(backup, w.databaseFile()); err != nil {
		return err
	}
	w.history.restored()
	for _, r := range ran {
		if err := r.start(ctx, w.o.Box); err != nil {
			return fmt.Errorf("%s does not start: %w", r.name, err)
		}
	}
	<-time.After(30 * time.Second)
	return nil
}

// unknown reports whether the database can know nothing of an account's grant: that was made
// after the backup that was restored, and the row is of the grant before.
func (w *World) unknown(c connection.Connection) bool {
	w.mu.Lock()
	current := w.lineages[c.Name]
	w.mu.Unlock()
	return c.Lineage != current && w.history.restoredSince(w.authority.made(c.Name))
}
