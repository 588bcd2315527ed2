package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/libtnb/sqlite"
)

// sqlitePlace is a file that is filled beside its place.
type sqlitePlace struct {
	s             *DB
	path, staging string
}

var companions = []string{"", "-wal", "-shm"}

func (s *DB) beginSQLite(ctx context.Context, o Options, schema int64, replace bool) (place, error) {
	s.dialect = SQLite
	path := filepath.Join(o.DataDir, "evergrant.db")
	if rest, ok := strings.CutPrefix(o.URL, "sqlite:"); ok {
		path = strings.TrimPrefix(rest, "//")
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	if err := errors.Join(knowsSchema(SQLite, schema), os.MkdirAll(filepath.Dir(path), 0o700)); err != nil {
		return nil, err
	}
	if resolved, err := filepath.EvalSymlinks(path); err == nil {
		path = resolved
	}
	if s.lock, err = lockSQLite(path); err != nil {
		return nil, fmt.Errorf("%w: stop the hub first: %w", ErrHubsRun, err)
	}
	if err := emptySQLite(ctx, path); err != nil && (!replace || !errors.Is(err, ErrNotEmpty)) {
		return nil, err
	}
	p := &sqlitePlace{s: s, path: path, staging: path + ".restoring"}
	if err := p.giveUp(); err != nil {
		return nil, err
	}
	return p, p.open(ctx, schema)
}

// emptySQLite fails if a file has rows.
func emptySQLite(ctx context.Context, path string) error {
	info, err := os.Stat(path)
	if err != nil || info.Size() == 0 { // the lock makes it
		return nil
	}
	in, err := Inspect(ctx, Options{URL: "sqlite:" + path})
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	filled, err := anyRow(ctx, in.s.pools[0], SQLite)
	if err == nil && filled {
		err = fmt.Errorf("%w: %s", ErrNotEmpty, path)
	}
	return err
}

func (p *sqlitePlace) open(ctx context.Context, schema int64) error {
	f, err := os.OpenFile(p.staging, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		return fmt.Errorf("make the new database: %w", err)
	}
	address := sqliteAddress(p.staging, "_pragma=journal_mode(WAL)&_pragma=busy_timeout(5000)&_pragma=synchronous(FULL)&_txlock=immediate")
	pool, err := sql.Open(sqlite.DriverName, address)
	if err != nil {
		return fmt.Errorf("make the new database: %w", err)
	}
	pool.SetMaxOpenConns(1)
	p.s.pools = append(p.s.pools, pool)
	if p.s.write, err = gormDB(sqlite.New(sqlite.Config{Conn: pool})); err != nil {
		return fmt.Errorf("make the new database: %w", err)
	}
	p.s.read = p.s.write
	return p.s.migrateTo(ctx, schema)
}

func (p *sqlitePlace) fill(ctx context.Context, t Table, next func() ([]any, error)) (int64, error) {
	tx, err := p.s.pools[0].BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer func() { _ = tx.Rollback() }()
	marks := strings.TrimSuffix(strings.Repeat("?, ", len(t.Columns)), ", ")
	insert, err := tx.PrepareContext(ctx, "INSERT INTO "+t.Name+" ("+strings.Join(t.Columns, ", ")+") VALUES ("+marks+")") //nolint:gosec // G202: names of our own schema
	if err != nil {
		return 0, err
	}
	defer func() { _ = insert.Close() }()
	n, err := eachRow(next, func(row []any) error {
		_, err := insert.ExecContext(ctx, row...)
		return err
	})
	if err != nil {
		return n, err
	}
	return n, tx.Commit()
}

// commit puts the file into its place. What was there before is kept beside it.
func (p *sqlitePlace) commit(ctx context.Context) error {
	pool := p.s.pools[0]
	if _, err := pool.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		return Failed("finish the new database", err)
	}
	if err := pool.Close(); err != nil {
		return Failed("finish the new database", err)
	}
	if info, err := os.Stat(p.path); err == nil && info.Size() > 0 {
		before := p.path + ".before-restore-" + time.Now().UTC().Format("20060102T150405Z")
		for _, c := range []string{"-wal", "-shm", ""} {
			if err := os.Rename(p.path+c, before+c); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return Failed("keep the database that was there", err)
			}
		}
	}
	if err := os.Rename(p.staging, p.path); err != nil {
		return Failed("put the new database into its place", err)
	}
	folder, err := os.Open(filepath.Dir(p.path))
	if err != nil {
		return Failed("put the new database into its place", err)
	}
	return Failed("put the new database into its place", errors.Join(folder.Sync(), folder.Close()))
}

func (p *sqlitePlace) giveUp() error {
	var errs []error
	for _, c := range companions {
		if err := os.Remove(p.staging + c); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
