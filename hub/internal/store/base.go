package store

import (
	"context"
	"database/sql"

	"github.com/jackc/pgx/v5"

	"github.com/evergrant/evergrant/hub/internal/store/db"
)

// The dialects, as Store.Dialect names them.
const (
	SQLite     = db.SQLite
	PostgreSQL = db.PostgreSQL
)

// Options of Open.
type Options = db.Options

// Errors that callers distinguish with errors.Is. Every other error is one of the
// database.
var (
	// ErrNotFound: there is no such row.
	ErrNotFound = db.ErrNotFound
	// ErrExpired is an ErrNotFound: the row was there, but its time had passed.
	ErrExpired = db.ErrExpired
	// ErrNameTaken: a unique name is in use; it is a *NameTakenError.
	ErrNameTaken = db.ErrNameTaken
	// ErrStale: the generation has moved on, so what was decided is void.
	ErrStale = db.ErrStale
	// ErrFenced is an ErrStale: this epoch of a replica is not the newest, or the database
	// does not know it.
	ErrFenced = db.ErrFenced
	// ErrInUse: other rows depend on it, or there is one already.
	ErrInUse = db.ErrInUse
)

// NameTakenError is ErrNameTaken with the field to show it at.
type NameTakenError = db.NameTakenError

// Unavailable reports whether an error says that the database cannot be reached or does not
// answer, rather than that it refuses.
func Unavailable(err error) bool { return db.Unavailable(err) }

// Away is db.Away.
func Away(err error) bool { return db.Away(err) }

// NewID returns a new row id: a UUIDv7, so that ids order by their time.
func NewID() string { return db.NewID() }

// Ping reports whether the database can be reached.
func (s *Store) Ping(ctx context.Context) error { return s.db.Ping(ctx) }

// Dialect is SQLite or PostgreSQL.
func (s *Store) Dialect() string { return s.db.Dialect() }

// MultiReplica reports whether several hubs may share this database.
func (s *Store) MultiReplica() bool { return s.db.MultiReplica() }

// InTx runs do as one transaction: what do reads and writes with the context that it is
// given is committed together, or not at all if do returns an error. do must not wait for
// anything outside: on SQLite it holds the one connection that writes. A call within
// another one joins it, behind a savepoint.
func (s *Store) InTx(ctx context.Context, do func(ctx context.Context) error) error {
	return s.db.InTx(ctx, do)
}

// AfterCommit calls do after the commit of the transaction that ctx belongs to, and at once
// where there is none. A transaction that is rolled back drops it.
func (s *Store) AfterCommit(ctx context.Context, do func()) { s.db.AfterCommit(ctx, do) }

// OnChange sets the function that is called with connections that have changed, after the
// commit: by this store, and, while Listen runs, by others. It must not block. Call it
// before the first change.
func (s *Store) OnChange(changed func(connectionIDs ...string)) { s.db.OnChange(changed) }

// Listen receives the changes of other replicas until ctx ends. lost is called each time
// after the connection was interrupted: anything may have changed meanwhile. On SQLite
// there are no other replicas, and it returns when ctx ends.
func (s *Store) Listen(ctx context.Context, lost func()) { s.db.Listen(ctx, lost) }

// Setting reads a setting. Values are not sealed, so none is a secret. Errors:
// ErrNotFound.
func (s *Store) Setting(ctx context.Context, key string) (string, error) {
	return s.db.Setting(ctx, key)
}

// SetSetting writes a setting, over what there was.
func (s *Store) SetSetting(ctx context.Context, key, value string) error {
	return s.db.SetSetting(ctx, key, value)
}

// TakeSetting removes a setting if it has the given value: exactly one of many takers
// succeeds. Errors: ErrNotFound.
func (s *Store) TakeSetting(ctx context.Context, key, value string) error {
	return s.db.TakeSetting(ctx, key, value)
}

// Detached fails with a *DetachedError while the database is a detached copy. It is cheap:
// ask it before anything goes out.
func (s *Store) Detached(ctx context.Context) error { return s.db.Detached(ctx) }

// Reseal seals what older keys of the keyset have sealed with the one that seals now, and
// returns how many values those were. Hubs may run. It may be called again after an error.
func (s *Store) Reseal(ctx context.Context) (sealed int, err error) { return s.db.Reseal(ctx) }

// SQLiteWriter is the one connection that writes, for the job engine; nil on PostgreSQL.
func (s *Store) SQLiteWriter() *sql.DB { return s.db.SQLiteWriter() }

// PostgresConfig is how to connect, for the job engine; nil on SQLite.
func (s *Store) PostgresConfig() *pgx.ConnConfig { return s.db.PostgresConfig() }
