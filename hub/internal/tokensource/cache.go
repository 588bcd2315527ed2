package tokensource

import (
	"context"
	"sync"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
)

// Version names the content of a connection's row: what was read under the same
// version is still right.
type Version struct {
	Generation int64
	UpdatedAt  int64 // Unix milliseconds
}

// cache keeps unsealed connections by version, so that a pull costs one small
// read. The version always comes from the database: a renewal by another replica
// is seen at once.
type cache struct {
	mu   sync.RWMutex
	byID map[string]connection.Connection
}

// maxCached bounds the cache; at some 2 KiB each this is 100 MiB.
const maxCached = 50_000

func (c *cache) get(id string, v Version) (connection.Connection, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	conn, ok := c.byID[id]
	return conn, ok && versionOf(conn) == v
}

func (c *cache) put(conn connection.Connection) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byID == nil || len(c.byID) >= maxCached {
		c.byID = make(map[string]connection.Connection)
	}
	c.byID[conn.ID] = conn
}

func versionOf(c connection.Connection) Version {
	return Version{Generation: c.Generation, UpdatedAt: c.UpdatedAt.UnixMilli()}
}

// ServeVersion is Token for a connection whose version was just read.
func (s *Source) ServeVersion(ctx context.Context, id string, v Version, minTTL, wait time.Duration) (*Pulled, error) {
	c, ok := s.cache.get(id, v)
	if !ok {
		var err error
		if c, err = s.store.Connection(ctx, id); err != nil {
			return nil, err
		}
		s.cache.put(c)
	}
	return s.Serve(ctx, c, minTTL, wait)
}
