package db

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Table is a table as a Snapshot has it.
type Table struct {
	Name    string   `json:"name"`
	Columns []string `json:"columns"`
}

// Snapshot is a view of all rows at one moment, while hubs go on writing. The tables of
// the job engine are left out: it makes them anew.
type Snapshot struct {
	// Schema is the version of the tables.
	Schema int64
	// Tables are in an order in which they can be filled.
	Tables []Table

	tx      *sql.Tx
	dialect string
}

// Snapshot begins one. It holds a transaction open until Close.
func (in *Inspector) Snapshot(ctx context.Context) (*Snapshot, error) {
	isolation := sql.LevelDefault // SQLite's transactions are snapshots
	if in.s.dialect == PostgreSQL {
		isolation = sql.LevelRepeatableRead
	}
	tx, err := in.s.pools[0].BeginTx(ctx, &sql.TxOptions{Isolation: isolation, ReadOnly: in.s.dialect == PostgreSQL})
	if err != nil {
		return nil, fmt.Errorf("begin to read the database: %w", err)
	}
	s := &Snapshot{tx: tx, dialect: in.s.dialect}
	if err := s.look(ctx); err != nil {
		_ = tx.Rollback()
		return nil, fmt.Errorf("read the tables: %w", err)
	}
	return s, nil
}

// Close ends the view.
func (s *Snapshot) Close() error { return s.tx.Rollback() }

func (s *Snapshot) look(ctx context.Context) error {
	if err := s.tx.QueryRowContext(ctx, "SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version").Scan(&s.Schema); err != nil {
		return err
	}
	names, err := tablesOf(ctx, s.tx, s.dialect)
	if err != nil {
		return err
	}
	if names, err = s.inOrder(ctx, names); err != nil {
		return err
	}
	for _, name := range names {
		columns, err := s.columnsOf(ctx, name)
		if err != nil {
			return err
		}
		s.Tables = append(s.Tables, Table{Name: name, Columns: columns})
	}
	return nil
}

// columnsOf reads the names of a table's columns.
func (s *Snapshot) columnsOf(ctx context.Context, table string) ([]string, error) {
	rows, err := s.tx.QueryContext(ctx, "SELECT * FROM "+table+" WHERE 1 = 0") //nolint:gosec // G202: a name of our own migrations
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	return columns, cmp.Or(err, rows.Err())
}

// querier is what a pool and a transaction have in common.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// tablesOf are the tables that are there of those that the migrations make.
func tablesOf(ctx context.Context, q querier, dialect string) ([]string, error) {
	query := "SELECT name FROM sqlite_master WHERE type = 'table'"
	if dialect == PostgreSQL {
		query = "SELECT relname FROM pg_catalog.pg_class WHERE relkind = 'r' AND relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = current_schema())"
	}
	there, err := texts(ctx, q, query)
	if err != nil {
		return nil, err
	}
	own, err := ownTables(dialect)
	if err != nil {
		return nil, err
	}
	slices.Sort(there)
	return slices.DeleteFunc(there, func(name string) bool { return !slices.Contains(own, name) }), nil
}

var createTable = regexp.MustCompile(`(?m)^CREATE TABLE (?:IF NOT EXISTS )?(\w+)`)

// ownTables are those that the migrations make.
func ownTables(dialect string) ([]string, error) {
	files, err := migrations.ReadDir("migrations/" + dialect)
	if err != nil {
		return nil, fmt.Errorf("find the migrations: %w", err)
	}
	var own []string
	for _, f := range files {
		text, err := migrations.ReadFile("migrations/" + dialect + "/" + f.Name())
		if err != nil {
			return nil, fmt.Errorf("find the migrations: %w", err)
		}
		for _, found := range createTable.FindAllStringSubmatch(string(text), -1) {
			own = append(own, found[1])
		}
	}
	return own, nil
}

// inOrder puts tables behind those that they refer to.
func (s *Snapshot) inOrder(ctx context.Context, names []string) ([]string, error) {
	query := `SELECT m.name || ' ' || f."table" FROM sqlite_master m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table'`
	if s.dialect == PostgreSQL {
		query = `SELECT a.relname || ' ' || b.relname FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_class a ON a.oid = c.conrelid
			JOIN pg_catalog.pg_class b ON b.oid = c.confrelid WHERE c.contype = 'f'`
	}
	pairs, err := texts(ctx, s.tx, query)
	if err != nil {
		return nil, err
	}
	var ordered []string
	var visit func(name string)
	visit = func(name string) {
		if slices.Contains(ordered, name) || !slices.Contains(names, name) {
			return
		}
		for _, pair := range pairs {
			if from, to, _ := strings.Cut(pair, " "); from == name && to != name {
				visit(to)
			}
		}
		ordered = append(ordered, name)
	}
	for _, name := range names {
		visit(name)
	}
	return ordered, nil
}

func texts(ctx context.Context, q querier, query string) (all []string, err error) {
	rows, err := q.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		all = append(all, text)
	}
	return all, rows.Err()
}

// Rows calls do with the values of each row of a table, in the order of its columns: nil,
// int64, string or []byte, as both kinds of database keep them; a truth is 0 or 1. do must
// not keep them.
func (s *Snapshot) Rows(ctx context.Context, t Table, do func(row []any) error) error {
	rows, err := s.tx.QueryContext(ctx, "SELECT "+strings.Join(t.Columns, ", ")+" FROM "+t.Name) //nolint:gosec // G202: names of our own schema
	if err != nil {
		return Failed("read the table "+t.Name, err)
	}
	defer func() { _ = rows.Close() }()
	row, into := make([]any, len(t.Columns)), make([]any, len(t.Columns))
	for i := range row {
		into[i] = &row[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return Failed("read the table "+t.Name, err)
		}
		for i, value := range row {
			if row[i], err = plainValue(value); err != nil {
				return fmt.Errorf("read %s.%s: %w", t.Name, t.Columns[i], err)
			}
		}
		if err := do(row); err != nil {
			return err
		}
	}
	return Failed("read the table "+t.Name, rows.Err())
}

func plainValue(value any) (any, error) {
	switch v := value.(type) {
	case nil, int64, string:
		return v, nil
	case []byte:
		if v == nil { // empty, for no value is nil itself
			v = []byte{}
		}
		return v, nil
	case bool:
		if v {
			return int64(1), nil
		}
		return int64(0), nil
	default:
		return nil, fmt.Errorf("a value of the type %T is not known here", value)
	}
}
