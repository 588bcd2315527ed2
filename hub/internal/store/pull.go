package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store/db"
)

// PullRow is what a token pull has to know before it may answer from a cache. Whether the
// key may pull is decided by package access. A zero time is none.
type PullRow struct {
	// KeyFound is set if there is such a key; only then the rest counts.
	KeyFound bool
	Key      PullKey
	// ConnectionFound is set if there is such a connection.
	ConnectionFound bool
	// Named is set if the key names the connection; Tag is a tag that both have, and is
	// not looked for where Named is set.
	Named        bool
	Tag          string
	ConnectionID string
	State        connection.State
	// Generation and UpdatedAt together name the content of the connection:
	// what was read by Connection under the same two is still right. A lease
	// and the time of the last pull are no content.
	Generation   int64
	UpdatedAt    time.Time
	LastPulledAt time.Time
	// BegunAt is when a renewal of the connection began whose outcome is not saved yet, by
	// the database's clock: its request may be out.
	BegunAt time.Time
}

// PullKey is the part of an API key that a pull needs.
type PullKey struct {
	ID             string
	Scopes         []string
	AllConnections bool
	Addresses      []string
	ExpiresAt      time.Time
	RevokedAt      time.Time
	LastUsedAt     time.Time
}

// pullColumns of a look-up; every table is accessed by a unique key. The statement finds
// what links the key and the connection, because a key can name thousands of connections;
// what follows from it is not decided here.
const pullColumns = `k.id, k.scopes, k.all_connections, k.expires_at, k.revoked_at, k.last_used_at,
	k.addresses, c.id, c.state, c.generation, c.updated_at, c.last_pulled_at, a.api_key_id, CASE WHEN a.api_key_id IS NULL THEN (
		SELECT kt.tag FROM api_key_tags kt JOIN connection_tags ct ON ct.connection_id = c.id AND ct.tag = kt.tag
		WHERE kt.api_key_id = k.id LIMIT 1) END, (SELECT i.begun_at FROM intents i WHERE i.connection_id = c.id)`

// pullOne looks one pull up.
const pullOne = `SELECT ` + pullColumns + `
	FROM api_keys k
	LEFT JOIN connections c ON c.name = $1 AND c.trashed_at = 0
	LEFT JOIN api_key_connections a ON a.api_key_id = k.id AND a.connection_id = c.id
	WHERE k.hash = $2`

// pullMany looks many up by one statement, for PostgreSQL, where each statement
// is a journey to another process.
const pullMany = `SELECT w.name, w.hash, ` + pullColumns + `
	FROM unnest($1::text[], $2::text[]) AS w(name, hash)
	JOIN api_keys k ON k.hash = w.hash
	LEFT JOIN connections c ON c.name = w.name AND c.trashed_at = 0
	LEFT JOIN api_key_connections a ON a.api_key_id = k.id AND a.connection_id = c.id`

// pullWant is one look-up of the hot path.
type pullWant struct {
	keyHash, name string
}

func (s *Store) preparePull(ctx context.Context) error {
	pool := s.db.ReadPool()
	var err error
	if s.pull, err = pool.PrepareContext(ctx, pullOne); err == nil && s.db.Dialect() == db.PostgreSQL {
		s.pullMany, err = pool.PrepareContext(ctx, pullMany)
	}
	if s.db.Dialect() == db.SQLite {
		s.pullCache = newPullCache(maxPullCache, s.db.WriteCount())
	} else {
		s.pulls = db.NewBatcher(s.db, 1, 1000, s.lookUpAll)
	}
	return db.Failed("prepare the token pull", err)
}

// Pull reads the API key with a hash and the connection with a name, in which version that
// is, and what links the two. It is the hot path of the hub: no lock on rows, no secret, no
// gorm. On SQLite an answer is cached until something is written; on PostgreSQL, under
// load, concurrent callers share one statement, which always begins after the last of
// them has called. A missing key or connection is reported in the row; an error is one of
// the database.
func (s *Store) Pull(ctx context.Context, keyHash, name string) (PullRow, error) {
	w := pullWant{keyHash: keyHash, name: name}
	if s.pullCache != nil && ctx.Err() == nil {
		if row, ok := s.pullCache.get(w); ok {
			return *row, nil
		}
	}
	row, err := s.lookUpFresh(ctx, w)
	if err != nil {
		return PullRow{}, fmt.Errorf("look up a pull of %s: %w", name, err)
	}
	return row, nil
}

func (s *Store) lookUpFresh(ctx context.Context, w pullWant) (PullRow, error) {
	if s.pulls != nil {
		return s.pulls.Do(ctx, w)
	}
	if err := ctx.Err(); err != nil {
		return PullRow{}, err
	}
	at := s.pullCache.writes.Load()
	rows, err := s.lookUp(ctx, []pullWant{w})
	if err != nil {
		return PullRow{}, err
	}
	s.pullCache.put(w, rows[w], at)
	return rows[w], nil
}

// lookUpAll answers a batch in which several callers may share a look-up.
func (s *Store) lookUpAll(ctx context.Context, wants []pullWant) ([]PullRow, error) {
	found, err := s.lookUp(ctx, db.Distinct(wants))
	if err != nil {
		return nil, err
	}
	rows := make([]PullRow, len(wants))
	for i, w := range wants {
		rows[i] = found[w]
	}
	return rows, nil
}

// lookUp answers look-ups that differ.
func (s *Store) lookUp(ctx context.Context, wants []pullWant) (map[pullWant]PullRow, error) {
	if len(wants) > 1 && s.pullMany != nil {
		return s.lookUpMany(ctx, wants)
	}
	rows := make(map[pullWant]PullRow, len(wants))
	for _, w := range wants {
		var r pullScan
		err := s.pull.QueryRowContext(ctx, w.name, w.keyHash).Scan(r.columns()...)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return nil, err
		}
		rows[w] = r.row()
	}
	return rows, nil
}

func (s *Store) lookUpMany(ctx context.Context, wants []pullWant) (map[pullWant]PullRow, error) {
	names, hashes := make([]string, len(wants)), make([]string, len(wants))
	for i, w := range wants {
		names[i], hashes[i] = w.name, w.keyHash
	}
	found, err := s.pullMany.QueryContext(ctx, names, hashes)
	if err != nil {
		return nil, err
	}
	defer func() { _ = found.Close() }()
	rows := make(map[pullWant]PullRow, len(wants))
	for found.Next() {
		var w pullWant
		var r pullScan
		if err := found.Scan(append([]any{&w.name, &w.keyHash}, r.columns()...)...); err != nil {
			return nil, err
		}
		rows[w] = r.row()
	}
	return rows, found.Err()
}

// pullScan receives the columns of a look-up.
type pullScan struct {
	PullRow
	scopes, addresses                string
	expiresAt, revokedAt, lastUsedAt int64
	id, state, link, tag             sql.NullString
	generation, updatedAt, pulledAt  sql.NullInt64
	begunAt                          sql.NullInt64
}

func (r *pullScan) columns() []any {
	return []any{
		&r.Key.ID, &r.scopes, &r.Key.AllConnections, &r.expiresAt, &r.revokedAt, &r.lastUsedAt,
		&r.addresses, &r.id, &r.state, &r.generation, &r.updatedAt, &r.pulledAt, &r.link, &r.tag, &r.begunAt,
	}
}

func (r *pullScan) row() PullRow {
	row := r.PullRow
	row.KeyFound, row.Key.Scopes = true, strings.Fields(r.scopes)
	row.Key.Addresses = strings.Fields(r.addresses)
	row.Key.ExpiresAt, row.Key.RevokedAt, row.Key.LastUsedAt = db.TimeOf(r.expiresAt), db.TimeOf(r.revokedAt), db.TimeOf(r.lastUsedAt)
	row.ConnectionFound, row.Named, row.Tag = r.id.Valid, r.link.Valid, r.tag.String
	row.ConnectionID, row.State = r.id.String, connection.State(r.state.String)
	row.Generation, row.UpdatedAt, row.LastPulledAt = r.generation.Int64, db.TimeOf(r.updatedAt.Int64), db.TimeOf(r.pulledAt.Int64)
	row.BegunAt = db.TimeOf(r.begunAt.Int64)
	return row
}
