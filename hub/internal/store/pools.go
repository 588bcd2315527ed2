package store

import (
	"database/sql"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
)

// readPool is the pool for statements that change nothing.
func (s *Store) readPool() *sql.DB { return s.pools[len(s.pools)-1] }

// writeCount counts what is written on SQLite.
func (s *Store) writeCount() *atomic.Uint64 { return &s.writes }

// SQLiteWriter is the one connection that writes, for the job engine; nil on
// PostgreSQL.
func (s *Store) SQLiteWriter() *sql.DB {
	if s.dialect != SQLite {
		return nil
	}
	return s.pools[0]
}

// PostgresConfig is how to connect, for the job engine; nil on SQLite.
func (s *Store) PostgresConfig() *pgx.ConnConfig {
	if s.postgres == nil {
		return nil
	}
	return s.postgres.Copy()
}
