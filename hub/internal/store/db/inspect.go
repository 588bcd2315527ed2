package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/libtnb/sqlite"
)

// ErrNoDatabase reports that there is no SQLite file yet; the first start creates it.
var ErrNoDatabase = errors.New("there is no database yet")

// Inspection is what Inspect saw of a database.
type Inspection struct {
	// Dialect is SQLite or PostgreSQL, Version the database's own.
	Dialect, Version string
	// Schema is the version of the tables, Wanted the one that this program creates; 0 is
	// a database without tables.
	Schema, Wanted int64
	// Latency is how long a small question takes.
	Latency time.Duration
	// Ahead is how far the database's clock is ahead of ours; it has one of its own only
	// on PostgreSQL.
	Ahead time.Duration
	// Hubs counts the hubs that are connected; -1 if that is not known.
	Hubs int
}

// Inspector looks at a database, beside a running hub or without one. It changes
// nothing: nothing is made, migrated or locked.
type Inspector struct{ s *DB }

// Inspect opens a database to look at it. Errors: ErrNoDatabase.
func Inspect(ctx context.Context, o Options) (*Inspector, error) {
	s := &DB{Box: o.Box, Log: hclog.NewNullLogger(), now: time.Now}
	scheme, rest, _ := strings.Cut(o.URL, ":")
	var err error
	switch {
	case o.URL == "":
		err = s.inspectSQLite(ctx, filepath.Join(o.DataDir, "evergrant.db"))
	case scheme == "sqlite":
		err = s.inspectSQLite(ctx, strings.TrimPrefix(rest, "//"))
	default:
		err = s.openPostgres(ctx, o.URL)
	}
	in := &Inspector{s}
	if err != nil {
		return nil, errors.Join(err, in.Close())
	}
	return in, nil
}

func (s *DB) inspectSQLite(ctx context.Context, path string) error {
	s.dialect = SQLite
	path, err := filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("open the database: %w", err)
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return ErrNoDatabase
	}
	// Not mode=ro: SQLite makes the companions of a file that no hub has open.
	address := sqliteAddress(path, "mode=rw&_pragma=busy_timeout(5000)&_pragma=query_only(1)")
	pool, err := sql.Open(sqlite.DriverName, address)
	if err != nil {
		return fmt.Errorf("open the database: %w", err)
	}
	s.pools = append(s.pools, pool)
	if err := pool.PingContext(ctx); err != nil {
		return fmt.Errorf("open the database %s: is it a SQLite file? %w", path, err)
	}
	if s.read, err = gormDB(sqlite.New(sqlite.Config{Conn: pool})); err != nil {
		return fmt.Errorf("open the database: %w", err)
	}
	return nil
}

// Close ends the connections.
func (in *Inspector) Close() error {
	var errs []error
	for _, pool := range in.s.pools {
		errs = append(errs, pool.Close())
	}
	return errors.Join(errs...)
}

// Dialect is SQLite or PostgreSQL.
func (in *Inspector) Dialect() string { return in.s.dialect }

// Setting is Store.Setting.
func (in *Inspector) Setting(ctx context.Context, key string) (string, error) {
	return in.s.Setting(ctx, key)
}

// Detached reports whether the database is a detached copy.
func (in *Inspector) Detached(ctx context.Context) (bool, error) {
	found, err := in.s.readDetached(ctx)
	return found != nil, err
}

// Look reads the state of the database.
func (in *Inspector) Look(ctx context.Context) (Inspection, error) {
	seen := Inspection{Dialect: in.s.dialect, Hubs: -1}
	var err error
	if seen.Wanted, err = newestMigration(in.s.dialect); err != nil {
		return seen, err
	}
	pool := in.s.pools[0]
	version := "SELECT 'SQLite ' || sqlite_version()"
	if in.s.dialect == PostgreSQL {
		version = "SELECT 'PostgreSQL ' || current_setting('server_version')"
	}
	if err := pool.QueryRowContext(ctx, version).Scan(&seen.Version); err != nil {
		return seen, Failed("ask the database for its version", err)
	}
	begun := time.Now()
	if err := pool.QueryRowContext(ctx, "SELECT 1").Scan(new(int)); err != nil {
		return seen, Failed("ask the database", err)
	}
	seen.Latency = time.Since(begun)
	if err := in.schema(ctx, &seen); err != nil {
		return seen, err
	}
	if in.s.dialect == PostgreSQL {
		return seen, in.lookAtPostgres(ctx, &seen)
	}
	return seen, nil
}

func (in *Inspector) schema(ctx context.Context, seen *Inspection) error {
	there := "SELECT COUNT(*) FROM sqlite_master WHERE name = 'goose_db_version'"
	if in.s.dialect == PostgreSQL {
		there = "SELECT COUNT(*) FROM pg_catalog.pg_class WHERE oid = to_regclass('goose_db_version')"
	}
	var tables int
	if err := in.s.pools[0].QueryRowContext(ctx, there).Scan(&tables); err != nil || tables == 0 {
		return Failed("read the schema's version", err)
	}
	err := in.s.pools[0].QueryRowContext(ctx, "SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version").Scan(&seen.Schema)
	return Failed("read the schema's version", err)
}

func (in *Inspector) lookAtPostgres(ctx context.Context, seen *Inspection) error {
	var clock time.Time
	begun := time.Now()
	if err := in.s.pools[0].QueryRowContext(ctx, "SELECT clock_timestamp()").Scan(&clock); err != nil {
		return Failed("ask the database for the time", err)
	}
	seen.Ahead = clock.Sub(begun.Add(time.Since(begun) / 2))
	// Each hub has one connection that listens; others' are seen by the same login.
	const listening = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND query = $1"
	if err := in.s.pools[0].QueryRowContext(ctx, listening, "LISTEN "+channel).Scan(&seen.Hubs); err != nil {
		seen.Hubs = -1
	}
	return nil
}

// newestMigration is the version of the tables that this program makes.
func newestMigration(dialect string) (int64, error) {
	entries, err := migrations.ReadDir("migrations/" + dialect)
	if err != nil {
		return 0, fmt.Errorf("find the migrations: %w", err)
	}
	var newest int64
	for _, entry := range entries {
		number, _, _ := strings.Cut(entry.Name(), "_")
		if n, err := strconv.ParseInt(number, 10, 64); err == nil {
			newest = max(newest, n)
		}
	}
	return newest, nil
}
