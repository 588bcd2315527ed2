package db

import (
	"database/sql"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
)

// ReadPool is the pool for statements that change nothing.
func (s *DB) ReadPool() *sql.DB { return s.pools[len(s.pools)-1] }

// WriteCount counts what is written on SQLite.
func (s *DB) WriteCount() *atomic.Uint64 { return &s.writes }

// SQLiteWriter is the one connection that writes, for the job engine; nil on
// PostgreSQL.
func (s *DB) SQLiteWriter() *sql.DB {
	if s.dialect != SQLite {
		return nil
	}
	return s.pools[0]
}

// PostgresConfig is how to connect, for the job engine; nil on SQLite.
func (s *DB) PostgresConfig() *pgx.ConnConfig {
	if s.postgres == nil {
		return nil
	}
	return s.postgres.Copy()
}
