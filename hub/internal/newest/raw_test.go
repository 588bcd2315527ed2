package newest_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/libtnb/sqlite"

	"github.com/evergrant/evergrant/hub/internal/newest"
)

func raw(t *testing.T, dir string) *sql.DB {
	t.Helper()
	db, err := sql.Open(sqlite.DriverName, "file:"+filepath.Join(dir, newest.FileName)+"?_pragma=busy_timeout(5000)")
	check(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func rewrite(t *testing.T, dir, statement string) {
	t.Helper()
	_, err := raw(t, dir).ExecContext(t.Context(), statement)
	check(t, err)
}

func sealedIn(t *testing.T, dir string) (all [][]byte) {
	t.Helper()
	rows, err := raw(t, dir).QueryContext(t.Context(), `SELECT tokens FROM entries`)
	check(t, err)
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var sealed []byte
		check(t, rows.Scan(&sealed))
		all = append(all, sealed)
	}
	check(t, rows.Err())
	return all
}
