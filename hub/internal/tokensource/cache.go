package tokensource

import (
	"context"
	"time"

	"github.com/evergrant/evergrant/hub/internal/bounded"
	"github.com/evergrant/evergrant/hub/internal/connection"
)

// Version names the content of a connection's row: what was read under the same
// version is still right.
type Version struct {
	Generation int64
	UpdatedAt  time.Time
	// BegunAt is store.PullRow's; it is no part of the content.
	BegunAt time.Time
}

// cache keeps unsealed connections by version, so that a pull costs one small
// read. The version always comes from the database: a renewal by another replica
// is seen at once.
type cache struct {
	byID *bounded.Map[string, connection.Connection]
}

// maxCached bounds the cache; at some 2 KiB each this is 100 MiB.
const maxCached = 50_000

func newCache(most int) cache { return cache{bounded.New[string, connection.Connection](most)} }

func (c cache) get(id string, v Version) (connection.Connection, bool) {
	conn, ok := c.byID.Get(id)
	return conn, ok && conn.Generation == v.Generation && conn.UpdatedAt.UnixMilli() == v.UpdatedAt.UnixMilli()
}

func (c cache) put(conn connection.Connection) { c.byID.Put(conn.ID, conn) }

// maxTouched bounds the connections of which the time of the last noted pull is known.
// One that is not known is noted once more.
const maxTouched = 100_000

// ServeVersion is Token for a connection whose version was just read.
func (s *Source) ServeVersion(ctx context.Context, id string, v Version, minTTL, wait time.Duration) (*Pulled, error) {
	c, ok := s.cache.get(id, v)
	if !ok {
		var err error
		if c, err = s.store.Grants.Connection(ctx, id); err != nil {
			return nil, err
		}
		s.cache.put(c)
	}
	return s.serve(ctx, c, v.BegunAt, minTTL, wait)
}
