package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/evergrant/evergrant/hub/internal/connection"
)

// PullRow is what a token pull has to know before it may answer from a cache.
// Times are Unix milliseconds, 0 is none.
type PullRow struct {
	// KeyFound is set if there is such a key; only then the rest counts.
	KeyFound bool
	Key      PullKey
	// ConnectionFound is set if there is such a connection, Allowed if the key
	// opens it.
	ConnectionFound bool
	Allowed         bool
	ConnectionID    string
	State           connection.State
	// Generation and UpdatedAt together name the content of the connection:
	// what was read by Connection under the same two is still right. A lease
	// and the time of the last pull are no content.
	Generation   int64
	UpdatedAt    int64
	LastPulledAt int64
}

// PullKey is the part of an API key that a pull needs.
type PullKey struct {
	ID             string
	Scopes         []string
	AllConnections bool
	ExpiresAt      int64
	RevokedAt      int64
	LastUsedAt     int64
}

// Every table is entered by a unique key.
const pullStatement = `SELECT k.id, k.scopes, k.all_connections, k.expires_at, k.revoked_at, k.last_used_at,
	c.id, c.state, c.generation, c.updated_at, c.last_pulled_at, a.api_key_id
	FROM api_keys k
	LEFT JOIN connections c ON c.name = $1
	LEFT JOIN api_key_connections a ON a.api_key_id = k.id AND a.connection_id = c.id
	WHERE k.hash = $2`

func (s *Store) preparePull(ctx context.Context) error {
	pool := s.pools[len(s.pools)-1] // the one that reads
	var err error
	if s.pull, err = pool.PrepareContext(ctx, pullStatement); err != nil {
		return fmt.Errorf("prepare the token pull: %w", err)
	}
	return nil
}

// Pull reads by one prepared statement whether the key with a hash may pull the
// connection with a name, and in which version that is. It is the hot path of
// the hub: no lock, no secret, no gorm. What is not found is told by the row; an
// error is the database's trouble.
func (s *Store) Pull(ctx context.Context, keyHash, name string) (PullRow, error) {
	var (
		row                             PullRow
		scopes                          string
		id, state, link                 sql.NullString
		generation, updatedAt, pulledAt sql.NullInt64
	)
	err := s.pull.QueryRowContext(ctx, name, keyHash).Scan(&row.Key.ID, &scopes, &row.Key.AllConnections, &row.Key.ExpiresAt,
		&row.Key.RevokedAt, &row.Key.LastUsedAt, &id, &state, &generation, &updatedAt, &pulledAt, &link)
	if errors.Is(err, sql.ErrNoRows) {
		return PullRow{}, nil
	}
	if err != nil {
		return PullRow{}, fmt.Errorf("look up a pull of %s: %w", name, err)
	}
	row.KeyFound, row.Key.Scopes = true, strings.Fields(scopes)
	row.ConnectionFound, row.Allowed = id.Valid, id.Valid && (row.Key.AllConnections || link.Valid)
	row.ConnectionID, row.State = id.String, connection.State(state.String)
	row.Generation, row.UpdatedAt, row.LastPulledAt = generation.Int64, updatedAt.Int64, pulledAt.Int64
	return row, nil
}
