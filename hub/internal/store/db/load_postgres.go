package db

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
)

// postgresPlace is a schema of its own beside the one that the hub uses.
type postgresPlace struct {
	s               *DB
	config          *pgx.ConnConfig // of the hub's schema
	schema, staging string
	committed       bool
}

func (s *DB) beginPostgres(ctx context.Context, address string, schema int64, replace bool) (place, error) {
	if err := knowsSchema(PostgreSQL, schema); err != nil {
		return nil, err
	}
	in, err := Inspect(ctx, Options{URL: address})
	if err != nil {
		return nil, err
	}
	defer func() { _ = in.Close() }()
	p := &postgresPlace{s: s, config: in.s.postgres.Copy(), staging: "evergrant_restore_" + strings.ReplaceAll(NewID(), "-", "")}
	if p.schema, err = p.mayReplace(ctx, in, replace); err != nil {
		return nil, err
	}
	if _, err := in.s.pools[0].ExecContext(ctx, "CREATE SCHEMA "+p.staging); err != nil {
		return nil, Failed("make a schema to restore into (the login needs the right CREATE on the database)", err)
	}
	return p, p.open(ctx, schema)
}

// mayReplace looks at what is in the hub's schema and returns its name.
func (p *postgresPlace) mayReplace(ctx context.Context, in *Inspector, replace bool) (string, error) {
	seen, err := in.Look(ctx)
	if err != nil {
		return "", err
	}
	if seen.Hubs > 0 {
		return "", fmt.Errorf("%w: %d are connected; stop them first", ErrHubsRun, seen.Hubs)
	}
	if seen.Schema > seen.Wanted {
		return "", fmt.Errorf("the database in the place: %w: its tables have version %d, this one knows %d", ErrNewerSchema, seen.Schema, seen.Wanted)
	}
	filled, err := anyRow(ctx, in.s.pools[0], PostgreSQL)
	if err == nil && filled && !replace {
		err = ErrNotEmpty
	}
	if err != nil {
		return "", err
	}
	name, err := texts(ctx, in.s.pools[0], "SELECT current_schema()")
	if err == nil && (len(name) == 0 || name[0] == "") {
		err = errors.New("the login has no schema to make tables in")
	}
	if err != nil {
		return "", Failed("find the schema", err)
	}
	return name[0], nil
}

func (p *postgresPlace) open(ctx context.Context, schema int64) error {
	s, config := p.s, p.config.Copy()
	config.RuntimeParams["search_path"] = p.staging
	s.dialect, s.postgres = PostgreSQL, config
	pool := stdlib.OpenDB(*config)
	s.pools = append(s.pools, pool)
	var err error
	if s.write, err = gormDB(postgres.New(postgres.Config{Conn: pool})); err != nil {
		return Failed("open the new schema", err)
	}
	s.read = s.write
	return s.migrateTo(ctx, schema)
}

// rowSource hands rows to COPY.
type rowSource struct {
	next  func() ([]any, error)
	truth []bool // columns that are a boolean here
	row   []any
	err   error
	n     int64
}

// Next implements pgx.CopyFromSource.
func (r *rowSource) Next() bool {
	r.row, r.err = r.next()
	if errors.Is(r.err, io.EOF) {
		r.err = nil
		return false
	}
	return r.err == nil
}

// Values implements pgx.CopyFromSource.
func (r *rowSource) Values() ([]any, error) {
	r.n++
	for i, value := range r.row {
		if number, ok := value.(int64); ok && r.truth[i] {
			r.row[i] = number != 0
		}
	}
	return r.row, nil
}

// Err implements pgx.CopyFromSource.
func (r *rowSource) Err() error { return r.err }

func (p *postgresPlace) fill(ctx context.Context, t Table, next func() ([]any, error)) (int64, error) {
	truths, err := texts(ctx, p.s.pools[0], "SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema() AND data_type = 'boolean' AND table_name = '"+t.Name+"'")
	if err != nil {
		return 0, err
	}
	source := &rowSource{next: next, truth: make([]bool, len(t.Columns))}
	for i, column := range t.Columns {
		source.truth[i] = slices.Contains(truths, column)
	}
	conn, err := p.s.pools[0].Conn(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close() }()
	err = conn.Raw(func(driver any) error {
		c, ok := driver.(*stdlib.Conn)
		if !ok {
			return errors.New("the driver of the database is not the expected one")
		}
		_, err := c.Conn().CopyFrom(ctx, pgx.Identifier{t.Name}, t.Columns, source)
		return err
	})
	return source.n, err
}

// commit puts the tables into the place of those that are there, all at once.
func (p *postgresPlace) commit(ctx context.Context) error {
	pool := stdlib.OpenDB(*p.config)
	defer func() { _ = pool.Close() }()
	tables, err := tablesOf(ctx, p.s.pools[0], PostgreSQL)
	if err != nil {
		return Failed("put the tables into their place", err)
	}
	tx, err := pool.BeginTx(ctx, nil)
	if err != nil {
		return Failed("put the tables into their place", err)
	}
	defer func() { _ = tx.Rollback() }()
	old, err := tablesOf(ctx, tx, PostgreSQL)
	if err != nil {
		return Failed("put the tables into their place", err)
	}
	to, from := pgx.Identifier{p.schema}, pgx.Identifier{p.staging}
	var statements []string
	for _, table := range append(old, "goose_db_version") {
		statements = append(statements, "DROP TABLE IF EXISTS "+append(to, table).Sanitize()+" CASCADE")
	}
	for _, table := range append(tables, "goose_db_version") {
		statements = append(statements, "ALTER TABLE "+append(from, table).Sanitize()+" SET SCHEMA "+to.Sanitize())
	}
	for _, statement := range append(statements, "DROP SCHEMA "+from.Sanitize()) {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return Failed("put the tables into their place", err)
		}
	}
	if err := tx.Commit(); err != nil {
		return Failed("put the tables into their place", err)
	}
	p.committed = true
	return nil
}

func (p *postgresPlace) giveUp() error {
	if p.committed {
		return nil
	}
	pool := stdlib.OpenDB(*p.config)
	defer func() { _ = pool.Close() }()
	_, err := pool.ExecContext(context.Background(), "DROP SCHEMA IF EXISTS "+p.staging+" CASCADE")
	return Failed("remove what was not restored", err)
}
