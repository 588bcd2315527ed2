package store

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/schema"
)

// TablesOf reads the tables of the database and their columns, sorted.
func TablesOf(t *testing.T, s *Store) map[string][]string {
	t.Helper()
	statement := `SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'`
	if s.dialect == PostgreSQL {
		statement = `SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'`
	}
	rows, err := s.pools[0].QueryContext(t.Context(), statement)
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
	for _, row := range []any{
		&serviceRow{}, &connectionRow{}, &tokenHistoryRow{}, &intentRow{}, &authorizationRow{}, &offerRow{}, &publishedRow{}, &serviceRequestRow{}, &frontUseRow{}, &tryBudgetRow{}, &revocationRow{}, &userRow{}, &sessionRow{},
		&apiKeyRow{}, &apiKeyConnectionRow{}, &apiKeyTagRow{}, &pluginRow{}, &settingRow{}, &eventRow{}, &incidentRow{},
		&auditRow{}, &auditChainRow{}, &auditLinkRow{}, &packageRow{}, &pieceRow{}, &slotRow{}, &pluginKeyRow{},
		&invitationRow{}, &userSessionRow{}, &tagRow{}, &bulkRunRow{}, &bulkItemRow{}, &grantLinkRow{}, &renewalHourRow{},
		&channelRow{}, &contactRow{}, &policyRow{}, &templateRow{}, &connectionOwnerRow{}, &escalationRow{}, &deliveryRow{}, &personToldRow{},
		&passkeyRow{}, &replicaRow{}, &restoreRow{}, &restoreReplicaRow{}, &behindRow{}, &withdrawalRow{},
	} {
		parsed, err := schema.Parse(row, &sync.Map{}, schema.NamingStrategy{})
		if err != nil {
			t.Fatal(err)
		}
		names := slices.Clone(parsed.DBNames)
		slices.Sort(names)
		columns[parsed.Table] = names
	}
	return columns
}

// MigrationNames lists the files of a dialect.
func MigrationNames(t *testing.T, dialect string) []string {
	t.Helper()
	entries, err := fs.ReadDir(migrations, "migrations/"+dialect)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// ClaimPlan is how the database would look for what is due.
func ClaimPlan(t *testing.T, s *Store, now time.Time, limit int) string {
	t.Helper()
	statement := claimSQLite
	if s.dialect == PostgreSQL {
		statement = claimPostgres
	}
	return planOf(t, s, statement, map[string]any{"now": millis(now), "owner": "me", "beat": 0, "clock": s.clock(), "ttl": 1000, "mark": 1, "limit": limit})
}

// NextDuePlan is how the database finds what is due next.
func NextDuePlan(t *testing.T, s *Store) string {
	t.Helper()
	return planOf(t, s, nextDue)
}

// ListPlan is how the database finds the names of a page.
func ListPlan(t *testing.T, s *Store, f Filter) string {
	t.Helper()
	var names []found
	statement := s.names(t.Context(), f).Session(&gorm.Session{DryRun: true}).Scan(&names).Statement
	return planOf(t, s, s.write.Explain(statement.SQL.String(), statement.Vars...))
}

// CountPlan is how the database counts by status.
func CountPlan(t *testing.T, s *Store) string {
	t.Helper()
	return planOf(t, s, "SELECT status, COUNT(*) AS count FROM (SELECT "+statusSQL+" AS status FROM connections) AS statuses GROUP BY status", statusArgs(time.Now()))
}

func planOf(t *testing.T, s *Store, statement string, values ...any) string {
	t.Helper()
	explain := "EXPLAIN QUERY PLAN "
	if s.dialect == PostgreSQL {
		explain = "EXPLAIN "
	}
	rows, err := s.write.WithContext(t.Context()).Raw(explain+statement, values...).Rows()
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
	if _, err := s.pools[0].ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// FillStatus does what Open does for connections of an older version.
func FillStatus(ctx context.Context, s *Store) error { return s.fillStatus(ctx) }

// ShrinkCaches empties the caches and bounds them anew.
func ShrinkCaches(s *Store, most int) {
	s.serviceCache = newServiceCache(most)
	if s.pullCache != nil {
		s.pullCache.rows = newPullCache(most, s.writeCount()).rows
	}
}

// Cached counts what the caches hold.
func Cached(s *Store) (services, pulls int) {
	if s.pullCache != nil {
		pulls = s.pullCache.rows.Len()
	}
	return s.serviceCache.byID.Len(), pulls
}

// Count is how many rows a table has.
func Count(t *testing.T, s *Store, table string) int {
	t.Helper()
	var n int64
	if err := s.reading(t.Context()).Table(table).Count(&n).Error; err != nil {
		t.Fatal(err)
	}
	return int(n)
}

// ForgetEnds brings the audit chain into the form of before its ends had MACs.
func ForgetEnds(t *testing.T, s *Store) {
	t.Helper()
	chain, key, err := s.readChain(t.Context())
	if err == nil {
		chain.MacKey, err = s.box.Seal(key, "audit_chain", "1", "mac_key")
	}
	if err == nil {
		err = s.writing(t.Context()).Model(&auditChainRow{}).Where("id = ?", chainID).Updates(map[string]any{"mac_key": chain.MacKey, "end_mac": []byte{}, "base_mac": []byte{}}).Error
	}
	if err != nil {
		t.Fatal(err)
	}
}

// AuthenticateChain does what a start of the hub does.
func AuthenticateChain(t *testing.T, s *Store) error { return s.authenticateChain(t.Context()) }
