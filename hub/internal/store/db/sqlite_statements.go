package db

import (
	"container/list"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
)

// mostStatements bounds the prepared statements of a connection, each of a few KiB.
const mostStatements = 200

// preparedPool is sql.Open for SQLite, with connections that keep what they have prepared:
// a third of the work of a small statement is its parsing. gorm's own cache will not do. It
// prepares outside of the transaction that waits for it, and with one connection that
// writes both would wait for each other.
func preparedPool(driverName, address string) (*sql.DB, error) {
	plain, err := sql.Open(driverName, address)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector{plain.Driver(), address}), plain.Close()
}

type connector struct {
	driver  driver.Driver
	address string
}

// Connect implements driver.Connector.
func (c connector) Connect(context.Context) (driver.Conn, error) {
	conn, err := c.driver.Open(c.address)
	if err != nil {
		return nil, err
	}
	whole, ok := conn.(sqliteConn)
	if !ok {
		_ = conn.Close()
		return nil, fmt.Errorf("the SQLite driver has connections of another kind, %T", conn)
	}
	return &preparedConn{sqliteConn: whole, byQuery: map[string]*prepared{}, used: list.New()}, nil
}

// Driver implements driver.Connector.
func (c connector) Driver() driver.Driver { return c.driver }

// sqliteConn is the interface that database/sql requires of a connection of the driver.
type sqliteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// preparedConn keeps statements by their text, the last used in front. database/sql uses
// a connection from one goroutine at a time.
type preparedConn struct {
	sqliteConn

	byQuery map[string]*prepared
	used    *list.List // of *prepared
}

type prepared struct {
	query string
	stmt  preparedStmt
	busy  bool // its rows are being read
	at    *list.Element
}

type preparedStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// take returns the statement of a query; nil if it cannot be kept or is in use.
func (c *preparedConn) take(ctx context.Context, query string) (*prepared, error) {
	if p, ok := c.byQuery[query]; ok {
		if p.busy {
			return nil, nil
		}
		c.used.MoveToFront(p.at)
		return p, nil
	}
	stmt, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	whole, ok := stmt.(preparedStmt)
	if !ok {
		return nil, stmt.Close()
	}
	p := &prepared{query: query, stmt: whole}
	p.at = c.used.PushFront(p)
	c.byQuery[query] = p
	return p, c.bound()
}

// bound closes the statement that was used least lately, if there are too many.
func (c *preparedConn) bound() error {
	for at := c.used.Back(); at != nil && c.used.Len() > mostStatements; at = at.Prev() {
		if p, ok := at.Value.(*prepared); ok && !p.busy {
			return c.drop(p)
		}
	}
	return nil
}

// drop closes a statement and keeps it no more.
func (c *preparedConn) drop(p *prepared) error {
	c.used.Remove(p.at)
	delete(c.byQuery, p.query)
	return p.stmt.Close()
}

// ExecContext implements driver.ExecerContext.
func (c *preparedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	p, err := c.take(ctx, query)
	if err != nil {
		return nil, err
	}
	if p == nil {
		return c.sqliteConn.ExecContext(ctx, query, args)
	}
	result, err := p.stmt.ExecContext(ctx, args)
	if err != nil {
		_ = c.drop(p) // whatever state it is in
	}
	return result, err
}

// QueryContext implements driver.QueryerContext.
func (c *preparedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	p, err := c.take(ctx, query)
	if err != nil {
		return nil, err
	}
	if p == nil {
		return c.sqliteConn.QueryContext(ctx, query, args)
	}
	rows, err := p.stmt.QueryContext(ctx, args)
	if err != nil {
		_ = c.drop(p)
		return nil, err
	}
	typed, ok := rows.(typedRows)
	if !ok {
		_ = rows.Close()
		return c.sqliteConn.QueryContext(ctx, query, args)
	}
	p.busy = true
	return &preparedRows{typedRows: typed, conn: c, of: p}, nil
}

// Close closes all statements, then the connection.
func (c *preparedConn) Close() error {
	var errs []error
	for _, p := range c.byQuery {
		errs = append(errs, p.stmt.Close())
	}
	c.used.Init()
	clear(c.byQuery)
	return errors.Join(append(errs, c.sqliteConn.Close())...)
}

// typedRows are the driver's rows, with the types of their columns.
type typedRows interface {
	driver.Rows
	ColumnTypeDatabaseTypeName(index int) string
	ColumnTypeLength(index int) (length int64, ok bool)
	ColumnTypeNullable(index int) (nullable, ok bool)
	ColumnTypePrecisionScale(index int) (precision, scale int64, ok bool)
	ColumnTypeScanType(index int) reflect.Type
}

// preparedRows give their statement back when they are closed, which resets it: until then
// the connection reads what the database was at its begin.
type preparedRows struct {
	typedRows

	conn *preparedConn
	of   *prepared
}

// Close implements driver.Rows.
func (r *preparedRows) Close() error {
	err := r.typedRows.Close()
	r.of.busy = false
	if err != nil {
		_ = r.conn.drop(r.of)
	}
	return err
}
