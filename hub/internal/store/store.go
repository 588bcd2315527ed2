package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/go-hclog"
	"github.com/jackc/pgx/v5"
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

// Store is the hub's database. It is safe for concurrent use.
type Store struct {
	write, read  *gorm.DB
	pools        []*sql.DB
	box          *seal.Box
	log          hclog.Logger
	dialect      string
	pull         *sql.Stmt
	pullMany     *sql.Stmt                   // nil on SQLite
	pulls        *batcher[pullWant, PullRow] // nil on SQLite
	workers      *workers
	outcomes     *batcher[*outcome, error]
	intents      *batcher[intentRow, error]
	replies      *batcher[keptReply, error]
	serviceCache serviceCache
	versions     *batcher[string, int64] // of services, by id
	pullCache    *pullCache              // nil on PostgreSQL
	detachment   detached
	beats        sync.Map // of owners: the last sign of life that the database has confirmed
	changed      func(connectionIDs ...string)
	replica      string          // names this store to the others that listen
	postgres     *pgx.ConnConfig // nil on SQLite
	lock         *sqliteLock     // nil on PostgreSQL
	now          func() time.Time
	purposes     purposeKeys
}

// NewID returns a new row id: a UUIDv7, so that ids order by their time.
func NewID() string { return uuid.Must(uuid.NewV7()).String() }

// Open connects to the database, brings its schema up to date and returns the
// Store. Its errors never hold the address, which may have a password in it.
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.Box == nil {
		return nil, errors.New("open the database: there is no key to seal secrets with")
	}
	s := &Store{box: o.Box, log: o.Logger, replica: NewID(), workers: newWorkers(), serviceCache: newServiceCache(mostServices), now: o.Now}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = hclog.NewNullLogger()
	}
	s.outcomes = &batcher[*outcome, error]{flush: s.saveOutcomes, runners: 2, most: rowsAtOnce, in: s.workers}
	s.intents = &batcher[intentRow, error]{flush: s.beginIntents, runners: 2, most: rowsAtOnce, in: s.workers}
	s.replies = &batcher[keptReply, error]{flush: s.keepReplies, runners: 1, most: rowsAtOnce, in: s.workers}
	s.versions = &batcher[string, int64]{flush: s.serviceVersions, runners: 1, most: rowsAtOnce, in: s.workers}
	if err := s.connect(ctx, o); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if err := s.migrate(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if err := s.fillStatus(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if err := s.authenticateChain(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if err := s.preparePull(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Store) connect(ctx context.Context, o Options) error {
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

// Close cancels the background work of callers and closes all connections to the
// database. No call may be in progress.
func (s *Store) Close() error {
	s.workers.close()
	var errs []error
	for _, statement := range []*sql.Stmt{s.pull, s.pullMany} {
		if statement != nil {
			errs = append(errs, statement.Close())
		}
	}
	for _, pool := range s.pools {
		errs = append(errs, pool.Close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.close())
		s.lock = nil
	}
	return errors.Join(errs...)
}

// Ping reports whether the database can be reached.
func (s *Store) Ping(ctx context.Context) error {
	for _, pool := range s.pools {
		if err := pool.PingContext(ctx); err != nil {
			return fmt.Errorf("reach the database: %w", err)
		}
	}
	return nil
}

// Dialect is SQLite or PostgreSQL.
func (s *Store) Dialect() string { return s.dialect }

// MultiReplica reports whether several hubs may share this database.
func (s *Store) MultiReplica() bool { return s.dialect == PostgreSQL }
