package db

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/jackc/pgx/v5"
	"gorm.io/gorm"

	"github.com/evergrant/evergrant/hub/internal/seal"
)

// DB is the pool of connections to the database, with what all packages of rows share. It
// is safe for concurrent use.
type DB struct {
	write, read *gorm.DB
	pools       []*sql.DB
	// Box seals the secrets; nil while an Inspector has none.
	Box *seal.Box
	// Log gets what cannot be returned as an error.
	Log     hclog.Logger
	dialect string
	// Workers executes batches; none of them outlives the DB.
	Workers *Workers
	// writes counts statements and transactions that have been written on SQLite. It is
	// incremented after the write and before its caller returns, so that a revoked key is
	// not served from a cache once the revocation is confirmed.
	writes     atomic.Uint64
	detachment detached
	beats      sync.Map // of owners: the last sign of life that the database has confirmed
	changed    func(connectionIDs ...string)
	replica    string          // names this DB to the others that listen
	postgres   *pgx.ConnConfig // nil on SQLite
	lock       *sqliteLock     // nil on PostgreSQL
	now        func() time.Time
}

// Open connects to the database and brings its schema up to date. Its errors never hold
// the address, which may have a password in it.
func Open(ctx context.Context, o Options) (*DB, error) {
	if o.Box == nil {
		return nil, errors.New("open the database: there is no key to seal secrets with")
	}
	s := &DB{Box: o.Box, Log: o.Logger, replica: NewID(), Workers: newWorkers(), now: o.Now}
	if s.now == nil {
		s.now = time.Now
	}
	if s.Log == nil {
		s.Log = hclog.NewNullLogger()
	}
	if err := s.connect(ctx, o); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if err := s.migrate(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close cancels the background work of callers and closes all connections to the
// database. No call may be in progress.
func (s *DB) Close() error {
	s.Workers.Close()
	var errs []error
	for _, pool := range s.pools {
		errs = append(errs, pool.Close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.close())
		s.lock = nil
	}
	return errors.Join(errs...)
}

// Now is SQLite's clock, which is that of the process.
func (s *DB) Now() time.Time { return s.now() }

// Of is the DB that an Inspector looks at.
func Of(in *Inspector) *DB { return in.s }
