package db

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"gorm.io/gorm/clause"
)

// What BeginLoad refuses.
var (
	// ErrNotEmpty: there are rows already that a restore would replace.
	ErrNotEmpty = errors.New("the database is not empty")
	// ErrHubsRun: hubs are connected to the database.
	ErrHubsRun = errors.New("hubs are running on the database")
	// ErrNewerSchema: the rows are of a schema that this program does not know.
	ErrNewerSchema = errors.New("made by a newer evergrant")
)

// Loading fills a database with the rows of another one. Nothing of it is seen before
// Commit: a SQLite file is filled beside its place, and PostgreSQL in a schema of its own.
type Loading struct {
	s    *DB
	into place
}

// place is where rows are filled in and how they take the place of what there is.
type place interface {
	// fill puts rows into a table; next returns io.EOF behind the last one.
	fill(ctx context.Context, t Table, next func() ([]any, error)) (int64, error)
	// commit puts what was filled in into its place.
	commit(ctx context.Context) error
	// giveUp removes what was not committed.
	giveUp() error
}

// BeginLoad prepares a database for rows of a schema version. With replace it may have
// rows, which Commit replaces. No hub may run on it. Errors: ErrNotEmpty, ErrHubsRun,
// ErrNewerSchema.
func BeginLoad(ctx context.Context, o Options, schema int64, replace bool) (*Loading, error) {
	s := &DB{Box: o.Box, Log: hclog.NewNullLogger(), replica: NewID(), Workers: newWorkers(), now: time.Now}
	l := &Loading{s: s}
	var err error
	if postgresAddress(o.URL) {
		l.into, err = s.beginPostgres(ctx, o.URL, schema, replace)
	} else {
		l.into, err = s.beginSQLite(ctx, o, schema, replace)
	}
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

func postgresAddress(url string) bool {
	return strings.HasPrefix(url, "postgres://") || strings.HasPrefix(url, "postgresql://")
}

// knowsSchema fails for a version that the migrations do not reach.
func knowsSchema(dialect string, schema int64) error {
	known, err := newestMigration(dialect)
	if err != nil {
		return err
	}
	if schema > known {
		return fmt.Errorf("%w: its tables have version %d, this one knows %d: run the newer one", ErrNewerSchema, schema, known)
	}
	return nil
}

// migrateTo makes the tables of a version.
func (s *DB) migrateTo(ctx context.Context, schema int64) error {
	provider, err := s.migrations()
	if err != nil {
		return err
	}
	if _, err := provider.UpTo(ctx, schema); err != nil {
		return fmt.Errorf("make the tables of version %d: %w", schema, err)
	}
	return nil
}

// Fill puts rows into a table and returns how many. next returns io.EOF behind the last.
func (l *Loading) Fill(ctx context.Context, t Table, next func() ([]any, error)) (int64, error) {
	own, err := ownTables(l.s.dialect)
	if err != nil {
		return 0, err
	}
	if !slices.Contains(own, t.Name) {
		return 0, fmt.Errorf("the table %q is not known", t.Name)
	}
	for _, column := range t.Columns {
		if strings.ContainsFunc(column, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_' }) {
			return 0, fmt.Errorf("the column %q of %s is not known", column, t.Name)
		}
	}
	n, err := l.into.fill(ctx, t, next)
	return n, Failed("fill the table "+t.Name, err)
}

// Empty removes all rows of a table that were filled in.
func (l *Loading) Empty(ctx context.Context, table string) error {
	return Failed("empty the table "+table, l.s.write.WithContext(ctx).Exec("DELETE FROM "+table).Error)
}

// Set writes a setting into what is filled in.
func (l *Loading) Set(ctx context.Context, key, value string) error {
	return Failed("write the setting "+key, l.s.write.WithContext(ctx).Clauses(clause.OnConflict{UpdateAll: true}).Create(&SettingRow{Key: key, Value: value}).Error)
}

// Unset removes a setting from what is filled in.
func (l *Loading) Unset(ctx context.Context, key string) error {
	return Failed("remove the setting "+key, l.s.write.WithContext(ctx).Where(&SettingRow{Key: key}).Delete(&SettingRow{}).Error)
}

// OpenSealed is Inspector.OpenSealed for what was filled in.
func (l *Loading) OpenSealed(ctx context.Context) (int, error) {
	return (&Inspector{l.s}).OpenSealed(ctx)
}

// Upgrade brings the tables to this program's version, and fails if a row refers to one
// that is not there.
func (l *Loading) Upgrade(ctx context.Context) error {
	if err := l.s.migrate(ctx); err != nil {
		return err
	}
	if l.s.dialect != SQLite { // PostgreSQL has looked at each row
		return nil
	}
	dangling, err := texts(ctx, l.s.pools[0], `SELECT "table" || ' refers to ' || parent FROM pragma_foreign_key_check LIMIT 1`)
	if err == nil && len(dangling) > 0 {
		err = errors.New(dangling[0] + ", and what is referred to is missing")
	}
	return Failed("check the references", err)
}

// Commit puts what was filled in into the place of what there was.
func (l *Loading) Commit(ctx context.Context) error { return l.into.commit(ctx) }

// Close discards what was not committed.
func (l *Loading) Close() error {
	err := l.s.Close()
	if l.into != nil {
		err = errors.Join(err, l.into.giveUp())
	}
	return err
}

// anyRow reports whether one of our tables has a row.
func anyRow(ctx context.Context, q querier, dialect string) (bool, error) {
	tables, err := tablesOf(ctx, q, dialect)
	if err != nil {
		return false, err
	}
	for _, table := range tables {
		found, err := texts(ctx, q, "SELECT 'row' FROM "+table+" LIMIT 1")
		if err != nil || len(found) > 0 {
			return len(found) > 0, err
		}
	}
	return false, nil
}

// eachRow hands rows on until there is none.
func eachRow(next func() ([]any, error), do func(row []any) error) (n int64, err error) {
	for {
		row, err := next()
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err == nil {
			err = do(row)
		}
		if err != nil {
			return n, err
		}
		n++
	}
}
