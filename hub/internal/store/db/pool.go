package db

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/go-hclog"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/evergrant/evergrant/hub/internal/seal"
)

// The dialects, as Store.Dialect names them.
const (
	SQLite     = "sqlite"
	PostgreSQL = "postgres"
)

// Options of Open.
type Options struct {
	// URL is "sqlite:<path>", a postgres:// address, or "" for evergrant.db in
	// DataDir.
	URL string
	// DataDir is the hub's data folder; needed if URL is empty.
	DataDir string
	// Box seals the secrets.
	Box *seal.Box
	// Logger gets what the store cannot return as an error; nil is silent.
	Logger hclog.Logger
	// SharedSQLite lets several stores of one process use a SQLite file, as replicas use
	// PostgreSQL. It is for simulations: they are not notified of each other's changes.
	SharedSQLite bool
	// Now is SQLite's clock, which is that of the process: time.Now if it is nil. It is for
	// simulations, where it steps as that of a server may.
	Now func() time.Time
}

// File is the SQLite file that the options name; "" for PostgreSQL.
func (o Options) File() string {
	if o.URL == "" {
		return filepath.Join(o.DataDir, "evergrant.db")
	}
	if path, found := strings.CutPrefix(o.URL, "sqlite:"); found {
		return strings.TrimPrefix(path, "//")
	}
	return ""
}

// NewID returns a new row id: a UUIDv7, so that ids order by their time.
func NewID() string { return uuid.Must(uuid.NewV7()).String() }

func (s *DB) connect(ctx context.Context, o Options) error {
	scheme, rest, _ := strings.Cut(o.URL, ":")
	switch {
	case o.URL == "" && o.DataDir == "":
		return errors.New("open the database: neither an address nor a data folder is given")
	case o.URL == "":
		return s.openSQLite(ctx, filepath.Join(o.DataDir, "evergrant.db"), o.SharedSQLite)
	case scheme == "sqlite" && rest != "":
		return s.openSQLite(ctx, strings.TrimPrefix(rest, "//"), o.SharedSQLite)
	case scheme == "postgres" || scheme == "postgresql":
		return s.openPostgres(ctx, o.URL)
	default:
		return errors.New("open the database: its address must be sqlite:<path> or postgres://<user>@<host>/<database>")
	}
}

// gormDB puts gorm on a pool. Single statements need no transaction, and errors
// are returned, not logged: a logged statement would show its values.
func gormDB(dialector gorm.Dialector) (*gorm.DB, error) {
	return gorm.Open(dialector, &gorm.Config{
		SkipDefaultTransaction: true, TranslateError: true, Logger: logger.Discard,
		DisableAutomaticPing: true,
	})
}

// Ping reports whether the database can be reached.
func (s *DB) Ping(ctx context.Context) error {
	for _, pool := range s.pools {
		if err := pool.PingContext(ctx); err != nil {
			return fmt.Errorf("reach the database: %w", err)
		}
	}
	return nil
}

// Dialect is SQLite or PostgreSQL.
func (s *DB) Dialect() string { return s.dialect }

// MultiReplica reports whether several hubs may share this database.
func (s *DB) MultiReplica() bool { return s.dialect == PostgreSQL }
