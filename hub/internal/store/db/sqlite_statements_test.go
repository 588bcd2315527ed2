package db

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/libtnb/sqlite"
)

func keptStatements(t *testing.T, conn *sql.Conn) (kept int) {
	t.Helper()
	if err := conn.Raw(func(c any) error {
		own, ok := c.(*preparedConn)
		if ok {
			kept = own.used.Len()
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return kept
}

// A connection keeps its statements: the same query is parsed once, also while its rows
// are being read, after an error, and after the table has changed.
func TestAConnectionKeepsItsStatements(t *testing.T) {
	pool, err := preparedPool(sqlite.DriverName, sqliteAddress(filepath.Join(t.TempDir(), "x.db"), ""))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = pool.Close() }()
	ctx := t.Context()
	conn, err := pool.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	run := func(query string, args ...any) error { _, err := conn.ExecContext(ctx, query, args...); return err }
	if err := run(`CREATE TABLE t (n INTEGER PRIMARY KEY) STRICT; CREATE TABLE u (n INTEGER)`); err != nil {
		t.Fatal("a script: ", err)
	}
	for n := range 10 {
		if err := run(`INSERT INTO t VALUES (?)`, n); err != nil {
			t.Fatal(err)
		}
	}
	if kept := keptStatements(t, conn); kept != 2 {
		t.Errorf("%d statements are kept after ten inserts", kept)
	}
	if err := run(`INSERT INTO t VALUES (?)`, 1); err == nil {
		t.Fatal("the same key twice")
	}
	if err := run(`INSERT INTO t VALUES (?)`, 10); err != nil {
		t.Fatal("after an error: ", err)
	}

	pairs := 0
	each(t, conn, 3, func() { each(t, conn, 2, func() { pairs++ }) })
	if pairs != 6 {
		t.Errorf("the same query within itself: %d pairs, want 6", pairs)
	}
	if err := run(`ALTER TABLE t ADD COLUMN more TEXT`); err != nil {
		t.Fatal(err)
	}
	var all int
	if err := conn.QueryRowContext(ctx, `SELECT COUNT(*) FROM t`).Scan(&all); err != nil || all != 11 {
		t.Errorf("%d rows, %v", all, err)
	}
	for n := range 2 * mostStatements {
		if err := run(fmt.Sprintf(`UPDATE t SET more = 'x' WHERE n = %d`, n)); err != nil {
			t.Fatal(err)
		}
	}
	if kept := keptStatements(t, conn); kept != mostStatements {
		t.Errorf("%d statements are kept, at most %d should be", kept, mostStatements)
	}
}

// each reads the rows below a number.
func each(t *testing.T, conn *sql.Conn, below int, do func()) {
	t.Helper()
	rows, err := conn.QueryContext(t.Context(), `SELECT n FROM t WHERE n < ? ORDER BY n`, below)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		do()
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

// A kept statement must not keep its connection at what the database was: rows that were
// read in part are given back when they are closed.
func TestAKeptStatementReadsWhatWasWrittenSince(t *testing.T) {
	address := sqliteAddress(filepath.Join(t.TempDir(), "x.db"), "_pragma=journal_mode(WAL)")
	open := func() *sql.DB {
		pool, err := preparedPool(sqlite.DriverName, address)
		if err != nil {
			t.Fatal(err)
		}
		pool.SetMaxOpenConns(1)
		t.Cleanup(func() { _ = pool.Close() })
		return pool
	}
	writer, reader := open(), open()
	if _, err := writer.ExecContext(t.Context(), `CREATE TABLE t (n INTEGER); INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)`); err != nil {
		t.Fatal(err)
	}
	for want := 1; want < 4; want++ {
		if _, err := writer.ExecContext(t.Context(), `UPDATE t SET n = ?`, want); err != nil {
			t.Fatal(err)
		}
		var n int
		if err := reader.QueryRowContext(t.Context(), `SELECT n FROM t`).Scan(&n); err != nil || n != want { // one of two rows
			t.Fatalf("read %d, written %d, %v", n, want, err)
		}
	}
}
