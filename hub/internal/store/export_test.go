package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"gorm.io/gorm"
	"gorm.io/gorm/schema"

	"github.com/evergrant/evergrant/hub/internal/store/auditdb"
	"github.com/evergrant/evergrant/hub/internal/store/authdb"
	"github.com/evergrant/evergrant/hub/internal/store/bulkdb"
	"github.com/evergrant/evergrant/hub/internal/store/db"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/hub/internal/store/keydb"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
	"github.com/evergrant/evergrant/hub/internal/store/plugindb"
	"github.com/evergrant/evergrant/hub/internal/store/renewaldb"
	"github.com/evergrant/evergrant/hub/internal/store/replicadb"
	"github.com/evergrant/evergrant/hub/internal/store/servicedb"
	"github.com/evergrant/evergrant/hub/internal/store/statsdb"
)

// TablesOf reads the tables of the database and their columns, sorted.
func TablesOf(t *testing.T, s *Store) map[string][]string {
	t.Helper()
	statement := `SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'`
	if s.Dialect() == PostgreSQL {
		statement = `SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'`
	}
	rows, err := s.db.Reading(t.Context()).Raw(statement).Rows()
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	tables := map[string][]string{}
	for rows.Next() {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			t.Fatal(err)
		}
		tables[table] = append(tables[table], column)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for _, columns := range tables {
		slices.Sort(columns)
	}
	return tables
}

// ColumnsOfRows returns the columns that the row types name, by table, sorted.
func ColumnsOfRows(t *testing.T) map[string][]string {
	t.Helper()
	columns := map[string][]string{}
	for _, rows := range [][]any{
		db.Schema(), servicedb.Schema(), keydb.Schema(), grantdb.Schema(), renewaldb.Schema(), peopledb.Schema(), noticedb.Schema(),
		plugindb.Schema(), authdb.Schema(), bulkdb.Schema(), statsdb.Schema(), auditdb.Schema(), replicadb.Schema(),
	} {
		for _, row := range rows {
			parsed, err := schema.Parse(row, &sync.Map{}, schema.NamingStrategy{})
			if err != nil {
				t.Fatal(err)
			}
			names := slices.Clone(parsed.DBNames)
			slices.Sort(names)
			columns[parsed.Table] = names
		}
	}
	return columns
}

// plansSeen numbers the callbacks of Plans.
var plansSeen atomic.Int64

// Plans are how the database executes the statements of do, in order.
func Plans(t *testing.T, s *Store, do func(ctx context.Context)) []string {
	t.Helper()
	var statements []string
	seeing := true
	name := fmt.Sprint("test:plans-", plansSeen.Add(1))
	see := func(tx *gorm.DB) {
		if seeing {
			statements = append(statements, tx.Explain(tx.Statement.SQL.String(), tx.Statement.Vars...))
		}
	}
	for _, on := range []*gorm.DB{s.db.Writing(t.Context()), s.db.Reading(t.Context())} {
		for _, register := range []func(string, func(*gorm.DB)) error{
			on.Callback().Query().After("gorm:query").Register, on.Callback().Row().After("gorm:row").Register, on.Callback().Raw().After("gorm:raw").Register,
		} {
			if err := register(name, see); err != nil {
				t.Fatal(err)
			}
		}
		if s.Dialect() == PostgreSQL {
			break // one pool
		}
	}
	do(t.Context())
	seeing = false
	plans := make([]string, len(statements))
	for i, statement := range statements {
		plans[i] = planOf(t, s, statement)
	}
	return plans
}

func planOf(t *testing.T, s *Store, statement string) string {
	t.Helper()
	explain := "EXPLAIN QUERY PLAN "
	if s.Dialect() == PostgreSQL {
		explain = "EXPLAIN "
	}
	rows, err := s.db.Writing(t.Context()).Raw(explain + statement).Rows()
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var plan strings.Builder
	for rows.Next() {
		line := make([]any, len(columns))
		for i := range line {
			line[i] = new(any)
		}
		if err := rows.Scan(line...); err != nil {
			t.Fatal(err)
		}
		last, _ := line[len(line)-1].(*any)
		fmt.Fprintln(&plan, *last)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan.String()
}

// Exec changes the database behind the store's back.
func Exec(t *testing.T, s *Store, statement string) {
	t.Helper()
	if err := s.db.Writing(t.Context()).Exec(statement).Error; err != nil {
		t.Fatal(err)
	}
}

// ShrinkPullCache empties the cache of pulls and bounds it anew.
func ShrinkPullCache(s *Store, most int) {
	if s.pullCache != nil {
		s.pullCache.rows = newPullCache(most, s.db.WriteCount()).rows
	}
}

// CachedPulls counts what the cache of pulls holds.
func CachedPulls(s *Store) int {
	if s.pullCache == nil {
		return 0
	}
	return s.pullCache.rows.Len()
}

// Count is how many rows a table has.
func Count(t *testing.T, s *Store, table string) int {
	t.Helper()
	var n int64
	if err := s.db.Reading(t.Context()).Table(table).Count(&n).Error; err != nil {
		t.Fatal(err)
	}
	return int(n)
}
