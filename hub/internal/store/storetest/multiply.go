package storetest

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/libtnb/sqlite"

	"github.com/evergrant/evergrant/hub/internal/store"
)

// Multiply makes n copies of the connection with a name, "copy-1" and so on, due
// at times that are spread over the year after dueFrom. Their secrets cannot be
// opened, for they are sealed to the original: they are there to be many. address
// is as store.Options.URL.
func Multiply(tb testing.TB, address, name string, n int, dueFrom time.Time) {
	tb.Helper()
	driver, source, numbers := "pgx", address, fmt.Sprintf("generate_series(1, %d) AS g(n)", n)
	columns := "SELECT column_name FROM information_schema.columns WHERE table_name = 'connections'"
	with := ""
	if path, ok := strings.CutPrefix(address, store.SQLite+":"); ok {
		driver, source, numbers = sqlite.DriverName, "file:"+path+"?_pragma=busy_timeout(5000)", "g"
		with = fmt.Sprintf("WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < %d) ", n)
		columns = "SELECT name FROM pragma_table_info('connections')"
	}
	pool, err := sql.Open(driver, source)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = pool.Close() }()
	ctx, cancel := context.WithTimeout(tb.Context(), 10*time.Minute)
	defer cancel()
	names := columnNames(ctx, tb, pool, columns)
	values := make([]string, len(names))
	for i, column := range names {
		switch column {
		case "id", "name", "search_text":
			values[i] = "'copy-' || g.n"
		case "due_at":
			values[i] = fmt.Sprintf("%d + CAST(g.n AS BIGINT) * %d", dueFrom.UnixMilli(), (365*24*time.Hour).Milliseconds()/int64(n))
		default:
			values[i] = "c." + column
		}
	}
	for _, statement := range []string{
		with + "INSERT INTO connections (" + strings.Join(names, ", ") + ") SELECT " + strings.Join(values, ", ") +
			" FROM connections c, " + numbers + " WHERE c.name = '" + name + "'",
		"ANALYZE",
	} {
		if _, err := pool.ExecContext(ctx, statement); err != nil {
			tb.Fatalf("%s: %v", statement, err)
		}
	}
}

func columnNames(ctx context.Context, tb testing.TB, pool *sql.DB, query string) []string {
	tb.Helper()
	rows, err := pool.QueryContext(ctx, query)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			tb.Fatal(err)
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil || len(names) == 0 {
		tb.Fatalf("read the columns of connections: %v", err)
	}
	return names
}

// Analyze updates the statistics of a database, which it otherwise does in time.
func Analyze(tb testing.TB, address string) {
	tb.Helper()
	driver, source, statement := "pgx", address, "VACUUM ANALYZE"
	if path, ok := strings.CutPrefix(address, store.SQLite+":"); ok {
		driver, source, statement = sqlite.DriverName, "file:"+path+"?_pragma=busy_timeout(5000)", "ANALYZE"
	}
	pool, err := sql.Open(driver, source)
	if err == nil {
		_, err = pool.ExecContext(tb.Context(), statement)
	}
	if err != nil {
		tb.Fatal(err)
	}
	_ = pool.Close()
}
