package backup_test

import (
	"crypto/rand"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/hub/internal/seal"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

const secret = "plain-secret"

func check(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// sealedPlaces are the columns whose values have to be sealed, with the row's identity.
var sealedPlaces = map[string]func(row map[string]any) string{
	"services.secrets": byID, "service_keys.private": byID, "connections.tokens": byID, "connections.options": byID, "intents.reply": byID, "authorizations.secrets": byID, "users.second_factor": byID,
	"passkeys.credential": byID, "channels.settings": byID, "contacts.addresses": byID, "deliveries.message": byID, "revocations.tokens": byID, "revocations.about": byID,
	"offered_grants.grant_data":     func(row map[string]any) string { return row["connection_id"].(string) },
	"device_authorizations.secrets": func(row map[string]any) string { return row["connection_id"].(string) },
	"bulk_items.import_row":         func(row map[string]any) string { return fmt.Sprintf("%s/%d", row["run_id"], row["n"]) },
	"sessions.data":                 func(row map[string]any) string { return row["token"].(string) },
	"token_history.tokens":          func(row map[string]any) string { return fmt.Sprintf("%s/%d", row["connection_id"], row["generation"]) },
	"audit_chain.mac_key":           func(map[string]any) string { return "1" },
}

func byID(row map[string]any) string { return row["id"].(string) }

type column struct {
	name, kind string
	refers     string
}

// filled makes a SQLite database with rows in every table, and returns its address. The
// rows refer to each other and their secrets are sealed.
func filled(tb testing.TB, box *seal.Box, rows int) string {
	tb.Helper()
	address := "sqlite:" + filepath.Join(storetest.Folder(tb), "evergrant.db")
	s, err := store.Open(tb.Context(), store.Options{URL: address, Box: box})
	check(tb, err)
	check(tb, s.Close())
	db := raw(tb, address)
	for _, table := range tables(tb, address) {
		columns := columnsOf(tb, db, table.Name)
		n := rows
		if table.Name == "audit_chain" {
			n = 1
		}
		for i := 1; i <= n; i++ {
			insert(tb, db, box, table.Name, columns, i)
		}
	}
	check(tb, db.Close())
	return address
}

func insert(tb testing.TB, db *sql.DB, box *seal.Box, table string, columns []column, i int) {
	tb.Helper()
	row := map[string]any{}
	for _, c := range columns {
		switch {
		case c.kind == "INTEGER":
			row[c.name] = int64(i)
			if c.name == "all_connections" || c.name == "doubtful" || c.name == "drill" || c.name == "takes_rest" || c.name == "enabled" || c.name == "pinned" {
				row[c.name] = int64(i % 2)
			}
		case c.kind == "BLOB":
			row[c.name] = []byte{byte(i), 0, 0xff}
		case c.refers != "":
			row[c.name] = fmt.Sprintf("%s-id-%d", c.refers, i)
		case c.name == "id":
			row[c.name] = fmt.Sprintf("%s-id-%d", table, i)
		default:
			row[c.name] = fmt.Sprintf("%s %s Ж 🙂 %d", table, c.name, i)
		}
	}
	if row["sum"] != nil && table == "plugin_packages" {
		row["sum"] = fmt.Sprintf("plugin_packages-id-%d", i)
	}
	for _, c := range columns {
		if id, ok := sealedPlaces[table+"."+c.name]; ok {
			plain := []byte(secret + rand.Text())
			if table == "audit_chain" { // 32 bytes of a key, and that the ends are authenticated by it
				plain = append(plain[:32:32], 1)
			}
			sealed, err := box.Seal(plain, table, id(row), c.name)
			check(tb, err)
			row[c.name] = sealed
		}
	}
	if i == 2 && table == "users" {
		row["second_factor"] = []byte{}
	}
	if i == 2 && table == "connections" {
		row["tokens"] = nil
	}
	names, marks, values := []string{}, []string{}, []any{}
	for _, c := range columns {
		names, marks, values = append(names, c.name), append(marks, "?"), append(values, row[c.name])
	}
	_, err := db.ExecContext(tb.Context(), "INSERT INTO "+table+" ("+strings.Join(names, ", ")+") VALUES ("+strings.Join(marks, ", ")+")", values...)
	if err != nil {
		tb.Fatalf("%s: %v", table, err)
	}
}

func raw(tb testing.TB, address string) *sql.DB {
	tb.Helper()
	driver, source := "pgx", address
	if path, ok := strings.CutPrefix(address, "sqlite:"); ok {
		driver, source = "sqlite", "file:"+path+"?_pragma=busy_timeout(5000)&_pragma=foreign_keys(1)"
	}
	db, err := sql.Open(driver, source)
	check(tb, err)
	tb.Cleanup(func() { _ = db.Close() })
	return db
}

func tables(tb testing.TB, address string) []store.Table {
	tb.Helper()
	in, err := store.Inspect(tb.Context(), store.Options{URL: address})
	check(tb, err)
	defer func() { _ = in.Close() }()
	shot, err := in.Snapshot(tb.Context())
	check(tb, err)
	defer func() { _ = shot.Close() }()
	return shot.Tables
}

func columnsOf(tb testing.TB, db *sql.DB, table string) (all []column) {
	tb.Helper()
	rows, err := db.QueryContext(tb.Context(), `SELECT t.name, t.type, COALESCE(f."table", '') FROM pragma_table_info(?1) t LEFT JOIN pragma_foreign_key_list(?1) f ON f."from" = t.name`, table)
	check(tb, err)
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var c column
		check(tb, rows.Scan(&c.name, &c.kind, &c.refers))
		all = append(all, c)
	}
	check(tb, rows.Err())
	return all
}

// content is every row of a database as text, by table, in an order of its own.
func content(tb testing.TB, address string) map[string][]string {
	tb.Helper()
	in, err := store.Inspect(tb.Context(), store.Options{URL: address})
	check(tb, err)
	defer func() { _ = in.Close() }()
	shot, err := in.Snapshot(tb.Context())
	check(tb, err)
	defer func() { _ = shot.Close() }()
	all := map[string][]string{}
	for _, t := range shot.Tables {
		check(tb, shot.Rows(tb.Context(), t, func(row []any) error {
			byName := map[string]any{}
			for i, name := range t.Columns {
				byName[name] = row[i]
			}
			all[t.Name] = append(all[t.Name], fmt.Sprintf("%#v", byName))
			return nil
		}))
	}
	return all
}

func options(address string, box *seal.Box) store.Options {
	return store.Options{URL: address, Box: box}
}

var newBox = storetest.Box
