package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/libtnb/sqlite"
)

// Detach makes a database a detached copy, with or without hubs on it. It is not migrated.
// Errors: ErrNoDatabase.
func Detach(ctx context.Context, o Options, d Detachment) error {
	text, err := json.Marshal(d)
	if err != nil {
		return err
	}
	return marking(ctx, o, func(s *DB) error { return s.SetSetting(ctx, DetachedKey, string(text)) })
}

// Attach ends Detach. Errors: ErrNoDatabase, ErrNotFound if the database is no detached
// copy.
func Attach(ctx context.Context, o Options) error {
	return marking(ctx, o, func(s *DB) error {
		return Changed("attach the database", s.Writing(ctx).Where(&SettingRow{Key: DetachedKey}).Delete(&SettingRow{}))
	})
}

// marking opens a database to write a setting, beside running hubs and as it is.
func marking(ctx context.Context, o Options, do func(*DB) error) (err error) {
	in, err := Inspect(ctx, o)
	if err != nil {
		return err
	}
	seen, err := in.Look(ctx)
	if err = errors.Join(err, in.Close()); err != nil {
		return err
	}
	if seen.Schema == 0 {
		return fmt.Errorf("%w: it has no tables", ErrNoDatabase)
	}
	s := &DB{Log: hclog.NewNullLogger(), now: time.Now}
	defer func() {
		for _, pool := range s.pools {
			err = errors.Join(err, pool.Close())
		}
	}()
	if postgresAddress(o.URL) {
		if err := s.openPostgres(ctx, o.URL); err != nil {
			return err
		}
		return do(s)
	}
	path := filepath.Join(o.DataDir, "evergrant.db")
	if rest, ok := strings.CutPrefix(o.URL, "sqlite:"); ok {
		path = strings.TrimPrefix(rest, "//")
	}
	if path, err = filepath.Abs(path); err != nil {
		return fmt.Errorf("open the database: %w", err)
	}
	address := sqliteAddress(path, "mode=rw&_pragma=busy_timeout(10000)&_pragma=synchronous(FULL)&_txlock=immediate")
	pool, err := sql.Open(sqlite.DriverName, address)
	if err != nil {
		return fmt.Errorf("open the database: %w", err)
	}
	s.dialect, s.pools = SQLite, append(s.pools, pool)
	if s.write, err = gormDB(sqlite.New(sqlite.Config{Conn: pool})); err != nil {
		return fmt.Errorf("open the database: %w", err)
	}
	return do(s)
}
