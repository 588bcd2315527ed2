package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/evergrant/evergrant/hub/internal/store/auditdb"
	"github.com/evergrant/evergrant/hub/internal/store/authdb"
	"github.com/evergrant/evergrant/hub/internal/store/bulkdb"
	"github.com/evergrant/evergrant/hub/internal/store/db"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/hub/internal/store/keydb"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
	"github.com/evergrant/evergrant/hub/internal/store/plugindb"
	"github.com/evergrant/evergrant/hub/internal/store/renewaldb"
	"github.com/evergrant/evergrant/hub/internal/store/replicadb"
	"github.com/evergrant/evergrant/hub/internal/store/servicedb"
	"github.com/evergrant/evergrant/hub/internal/store/statsdb"
)

// Store is the hub's database: its rows by area, and the statement of a pull. It is safe
// for concurrent use.
type Store struct {
	Services       *servicedb.Rows
	Keys           *keydb.Rows
	Authorizations *authdb.Rows
	Grants         *grantdb.Rows
	Renewals       *renewaldb.Rows
	Bulk           *bulkdb.Rows
	People         *peopledb.Rows
	Notices        *noticedb.Rows
	Plugins        *plugindb.Rows
	Audit          *auditdb.Rows
	Replicas       *replicadb.Rows
	Stats          *statsdb.Rows

	db        *db.DB
	pull      *sql.Stmt
	pullMany  *sql.Stmt                      // nil on SQLite
	pulls     *db.Batcher[pullWant, PullRow] // nil on SQLite
	pullCache *pullCache                     // nil on PostgreSQL
}

// Open connects to the database, brings its schema and rows up to date and returns the
// Store. Its errors never hold the address, which may have a password in it.
func Open(ctx context.Context, o Options) (*Store, error) {
	d, err := db.Open(ctx, o)
	if err != nil {
		return nil, err
	}
	s := over(d)
	for _, begin := range []func(context.Context) error{s.Grants.FillStatus, s.Audit.AuthenticateChain, s.preparePull} {
		if err := begin(ctx); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	return s, nil
}

// over is the Store of a database, without what a running hub needs.
func over(d *db.DB) *Store {
	s := &Store{db: d, Services: servicedb.New(d), Keys: keydb.New(d), Authorizations: authdb.New(d), Grants: grantdb.New(d), Plugins: plugindb.New(d), Audit: auditdb.New(d)}
	s.Renewals = renewaldb.New(d, s.Grants)
	s.People = peopledb.New(d, s.Grants)
	s.Notices = noticedb.New(d)
	s.Replicas = replicadb.New(d, s.Grants, s.Renewals)
	s.Bulk = bulkdb.New(d, s.Grants)
	s.Stats = statsdb.New(d, s.Grants)
	return s
}

// Close cancels the background work of callers and closes all connections to the
// database. No call may be in progress.
func (s *Store) Close() error {
	var errs []error
	s.db.Workers.Close()
	for _, statement := range []*sql.Stmt{s.pull, s.pullMany} {
		if statement != nil {
			errs = append(errs, statement.Close())
		}
	}
	return errors.Join(append(errs, s.db.Close())...)
}
