package newest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/seal"
)

// FileName is the file's name in the data folder.
const FileName = "newest.db"

// mostBytes bounds the entries: about 100 000 grants with large token sets.
const mostBytes = 256 << 20

// Entry is the newest token set of a grant that this replica has received.
type Entry struct {
	connection.Ahead

	ConnectionID string
	// SavedAt is when it was put here, by the wall clock.
	SavedAt time.Time
}

// Keeper is the open file. It is safe for concurrent use.
type Keeper struct {
	path  string
	log   hclog.Logger
	limit int64

	file sync.RWMutex // held for writing while the file is replaced
	db   *sql.DB      // nil when closed, or while no file can be opened
	save *sql.Stmt    // saves an entry
	info os.FileInfo

	index *index

	boxMu sync.RWMutex
	box   *seal.Box

	mu      sync.Mutex // guards the queue
	queue   []*task    // bounded by the callers that wait
	running bool
	closed  bool
	idle    sync.WaitGroup
	bytes   int64 // of the entries; only the writer uses it
}

var errClosed = errors.New("the file of newest token sets is closed")

// Open opens the file in a data folder, which it makes if need be, readable by its owner
// alone. One that is damaged is kept aside and a new one begun, with an Error line.
func Open(dir string, box *seal.Box, log hclog.Logger) (*Keeper, error) {
	if log == nil {
		log = hclog.NewNullLogger()
	}
	k := &Keeper{path: filepath.Join(dir, FileName), box: box, log: log, limit: mostBytes, index: newIndex()}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of newest token sets: %w", err)
	}
	if err := k.open(context.Background()); err != nil {
		return nil, err
	}
	return k, nil
}

// Close waits for what is being written and closes the file. Later writes fail.
func (k *Keeper) Close() error {
	k.mu.Lock()
	k.closed = true
	k.mu.Unlock()
	k.idle.Wait()
	k.file.Lock()
	defer k.file.Unlock()
	if k.db == nil {
		return nil
	}
	err := k.db.Close()
	k.db = nil
	return err
}

// Stats are the stats of the file, for metrics.
type Stats struct {
	Entries int
	// Bytes counts the entries' own.
	Bytes int64
	// Damaged counts the files that are kept aside.
	Damaged int
}

// Stats counts what is kept.
func (k *Keeper) Stats(ctx context.Context) (s Stats, err error) {
	s.Damaged = len(Damaged(filepath.Dir(k.path)))
	err = k.read(func(db *sql.DB) error {
		return db.QueryRowContext(ctx, `SELECT COUNT(*), COALESCE(SUM(size), 0) FROM entries`).Scan(&s.Entries, &s.Bytes)
	})
	return s, err
}

// read runs do on the open file.
func (k *Keeper) read(do func(*sql.DB) error) error {
	k.file.RLock()
	defer k.file.RUnlock()
	if k.db == nil {
		return errClosed
	}
	return do(k.db)
}

func (k *Keeper) sealer() *seal.Box {
	k.boxMu.RLock()
	defer k.boxMu.RUnlock()
	return k.box
}
