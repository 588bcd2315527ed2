package newest

import (
	"context"
	"database/sql"
	"hash/maphash"
	"sync"
)

// index holds the newest generation of each connection, so that the file is read only for
// a row that may be behind it. It is never behind the file; where it is ahead, as after a
// failed write, the file is read without need.
type index struct {
	seed maphash.Seed

	mu     sync.RWMutex
	newest map[uint64]progress // by the hash of the connection's id
}

// progress is the newest generation of a connection and the lineage that it is of.
type progress struct {
	generation int64
	lineage    uint64
}

func newIndex() *index {
	return &index{seed: maphash.MakeSeed(), newest: map[uint64]progress{}}
}

// raise notes an entry before it is written, and reports whether the lineage is another
// than that of the newest entry so far.
func (x *index) raise(connectionID, lineage string, generation int64) (other bool) {
	id, of := maphash.String(x.seed, connectionID), maphash.String(x.seed, lineage)
	x.mu.Lock()
	defer x.mu.Unlock()
	p, known := x.newest[id]
	if generation >= p.generation {
		x.newest[id] = progress{generation, of}
	}
	return !known || p.lineage != of
}

func (x *index) beyond(connectionID string, generation int64) bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.newest[maphash.String(x.seed, connectionID)].generation > generation
}

func (x *index) drop(connectionIDs ...string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, id := range connectionIDs {
		delete(x.newest, maphash.String(x.seed, id))
	}
}

// load notes every entry of a file.
func (x *index) load(ctx context.Context, db *sql.DB) error {
	rows, err := db.QueryContext(ctx, `SELECT connection_id, lineage, generation FROM entries`)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.connectionID, &r.lineage, &r.generation); err != nil {
			return err
		}
		x.raise(r.connectionID, r.lineage, r.generation)
	}
	return rows.Err()
}
