package store

import (
	"sync/atomic"

	"gorm.io/gorm"

	"github.com/evergrant/evergrant/hub/internal/bounded"
)

// pullCache caches look-ups of the hot path until anything is written. It serves SQLite
// alone, whose file is locked by one hub (see sqliteLock): every write goes through this
// Store, so an answer is as fresh as one from the file.
type pullCache struct {
	// writes counts statements and transactions that have been written. It is incremented
	// after the write and before its caller returns, so that a revoked key is not served
	// from the cache once the revocation is confirmed.
	writes atomic.Uint64

	rows *bounded.Map[pullWant, cachedPull]
}

// cachedPull is a row with what writes was when it was read.
type cachedPull struct {
	row PullRow
	at  uint64
}

// maxPullCache bounds the rows kept, some 300 bytes each.
const maxPullCache = 100_000

func newPullCache(most int) *pullCache {
	return &pullCache{rows: bounded.New[pullWant, cachedPull](most)}
}

func (c *pullCache) get(w pullWant) (PullRow, bool) {
	cached, ok := c.rows.Get(w)
	return cached.row, ok && cached.at == c.writes.Load()
}

// put keeps a row that was read when writes stood at at. One that a later write has made stale
// is never handed out, for writes only grows.
func (c *pullCache) put(w pullWant, row PullRow, at uint64) {
	if at == c.writes.Load() {
		c.rows.Put(w, cachedPull{row, at})
	}
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
