package store

import (
	"sync/atomic"

	"github.com/evergrant/evergrant/hub/internal/bounded"
)

// pullCache caches look-ups of the hot path until anything is written. It serves SQLite
// alone, whose file is locked by one hub (see sqliteLock): every write goes through this
// Store, so an answer is as fresh as one from the file.
type pullCache struct {
	// writes is what the store has written (Store.writes).
	writes *atomic.Uint64

	rows *bounded.Map[pullWant, cachedPull]
}

// cachedPull is a row with what writes was when it was read.
type cachedPull struct {
	row *PullRow // not changed; a pointer, for it is copied on the hot path
	at  uint64
}

// maxPullCache bounds the rows kept, some 300 bytes each.
const maxPullCache = 100_000

func newPullCache(most int, writes *atomic.Uint64) *pullCache {
	return &pullCache{writes: writes, rows: bounded.New[pullWant, cachedPull](most)}
}

func (c *pullCache) get(w pullWant) (*PullRow, bool) {
	cached, ok := c.rows.Get(w)
	return cached.row, ok && cached.at == c.writes.Load()
}

// put keeps a row that was read when writes stood at at. One that a later write has made stale
// is never handed out, for writes only grows.
func (c *pullCache) put(w pullWant, row PullRow, at uint64) {
	if at == c.writes.Load() {
		c.rows.Put(w, cachedPull{&row, at})
	}
}
