package store

import (
	"sync"
	"sync/atomic"

	"gorm.io/gorm"
)

// pullCache keeps look-ups of the hot path until anything is written. It serves
// SQLite alone, whose file one hub has to itself (see sqliteLock): every write
// goes through this Store, so an answer is as fresh as one from the file.
type pullCache struct {
	// writes counts statements and transactions that have been written. It moves
	// after the write and before its caller hears of it: whoever is told that a
	// key is revoked can rely on it.
	writes atomic.Uint64

	mu   sync.RWMutex
	at   uint64 // writes when rows were read
	rows map[pullWant]PullRow
}

// maxPullCache bounds the rows kept, some 300 bytes each.
const maxPullCache = 100_000

func (c *pullCache) get(w pullWant) (PullRow, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	row, ok := c.rows[w]
	return row, ok && c.at == c.writes.Load()
}

// put keeps a row that was read when writes stood at at.
func (c *pullCache) put(w pullWant, row PullRow, at uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at < c.at || at != c.writes.Load() {
		return
	}
	if c.at != at || c.rows == nil || len(c.rows) >= maxPullCache {
		c.at, c.rows = at, map[pullWant]PullRow{}
	}
	c.rows[w] = row
}

// watch counts what a handle writes by single statements; transactions are
// counted where they end.
func (c *pullCache) watch(db *gorm.DB) error {
	count := func(*gorm.DB) { c.writes.Add(1) }
	for _, register := range []func(string, func(*gorm.DB)) error{
		db.Callback().Create().After("gorm:create").Register,
		db.Callback().Update().After("gorm:update").Register,
		db.Callback().Delete().After("gorm:delete").Register,
		db.Callback().Raw().After("gorm:raw").Register,
	} {
		if err := register("evergrant:count", count); err != nil {
			return err
		}
	}
	return nil
}
