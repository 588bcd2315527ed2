package db

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/libtnb/sqlite"
	"gorm.io/gorm"
)

// sqliteReaders is the number of connections that read beside the one that writes.
const sqliteReaders = 4

// openSQLite opens the file at path, which it makes if need be, readable by its
// owner alone; SQLite gives its companion files the same mode.
func (s *DB) openSQLite(ctx context.Context, path string, shared bool) error {
	s.dialect = SQLite
	path, err := filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("open the database: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make the database's folder: %w", err)
	}
	if resolved, err := filepath.EvalSymlinks(path); err == nil { // the companions lie beside the file itself
		path = resolved
	}
	if !shared {
		if s.lock, err = lockSQLite(path); err != nil {
			return err
		}
	}
	writer, err := s.sqlitePool(ctx, path, 1, "_txlock=immediate")
	if err != nil {
		return err
	}
	reader, err := s.sqlitePool(ctx, path, sqliteReaders, "_pragma=query_only(1)")
	if err != nil {
		return err
	}
	s.write, err = gormDB(sqlite.New(sqlite.Config{Conn: writer}))
	if err != nil {
		return fmt.Errorf("open the database: %w", err)
	}
	s.read, err = gormDB(sqlite.New(sqlite.Config{Conn: reader}))
	if err != nil {
		return fmt.Errorf("open the database: %w", err)
	}
	return s.countWrites()
}

// countWrites counts what is written by single statements; transactions are counted where
// they end.
func (s *DB) countWrites() error {
	count := func(*gorm.DB) { s.writes.Add(1) }
	for _, register := range []func(string, func(*gorm.DB)) error{
		s.write.Callback().Create().After("gorm:create").Register,
		s.write.Callback().Update().After("gorm:update").Register,
		s.write.Callback().Delete().After("gorm:delete").Register,
		s.write.Callback().Raw().After("gorm:raw").Register,
	} {
		if err := register("evergrant:count", count); err != nil {
			return err
		}
	}
	return nil
}

// sqliteAddress is the address of a file, with a host never: SQLite would take the first
// folder of a relative path for one.
func sqliteAddress(path, options string) string {
	return (&url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: options}).String()
}

// sqlitePool opens a pool on a file. A transaction that writes must take its
// lock at its beginning (_txlock=immediate): one that reads first and writes
// then fails at once when another one has written in between.
func (s *DB) sqlitePool(ctx context.Context, path string, connections int, extra string) (*sql.DB, error) {
	address := sqliteAddress(path, "_pragma=journal_mode(WAL)&_pragma=busy_timeout(5000)"+
		"&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&"+extra)
	pool, err := preparedPool(sqlite.DriverName, address)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	s.pools = append(s.pools, pool)
	if err := pool.PingContext(ctx); err != nil {
		return nil, fmt.Errorf("open the database %s: is it a SQLite file, on a local disk that is not full? %w", path, err)
	}
	return pool, nil
}
