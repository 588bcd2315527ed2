package store

import (
	"database/sql"

	"github.com/jackc/pgx/v5"
)

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
