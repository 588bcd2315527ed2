package db

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
)

// Bounds of the PostgreSQL pool of one hub.
const (
	postgresConnections = 20
	postgresIdleTime    = 5 * time.Minute
	// postgresAnswers is how long a server may take to its first answer.
	postgresAnswers = 10 * time.Second
)

func (s *DB) openPostgres(ctx context.Context, address string) error {
	s.dialect = PostgreSQL
	config, err := pgx.ParseConfig(address)
	if err != nil { // the cause may quote the password
		return errors.New("open the database: its address cannot be read; write postgres://<user>:<password>@<host>:<port>/<database>," +
			" with %-escapes for special characters in the password")
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "evergrant"
	}
	s.postgres = config
	pool := stdlib.OpenDB(*config)
	pool.SetMaxOpenConns(postgresConnections)
	pool.SetMaxIdleConns(postgresConnections)
	pool.SetConnMaxIdleTime(postgresIdleTime)
	s.pools = append(s.pools, pool)
	first, cancel := context.WithTimeout(ctx, postgresAnswers)
	defer cancel()
	if err := pool.PingContext(first); err != nil {
		return fmt.Errorf("reach the database %s at %s as %s: %w", config.Database, config.Host, config.User, err)
	}
	s.write, err = gormDB(postgres.New(postgres.Config{Conn: pool}))
	if err != nil {
		return fmt.Errorf("open the database: %w", err)
	}
	s.read = s.write
	return nil
}
