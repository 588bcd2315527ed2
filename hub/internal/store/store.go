package store

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
	// writes counts statements and transactions that have been written on SQLite. It is
	// incremented after the write and before its caller returns, so that a revoked key is
	// not served from the cache once the revocation is confirmed.
	writes     atomic.Uint64
	detachment detached
	beats      sync.Map // of owners: the last sign of life that the database has confirmed
	changed    func(connectionIDs ...string)
	replica    string          // names this store to the others that listen
	postgres   *pgx.ConnConfig // nil on SQLite
	lock       *sqliteLock     // nil on PostgreSQL
	now        func() time.Time
	purposes   purposeKeys
}

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
	s.outcomes = newBatcher(s, 2, rowsAtOnce, s.saveOutcomes)
	s.intents = newBatcher(s, 2, rowsAtOnce, s.beginIntents)
	s.replies = newBatcher(s, 1, rowsAtOnce, s.keepReplies)
	s.versions = newBatcher(s, 1, rowsAtOnce, s.serviceVersions)
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
