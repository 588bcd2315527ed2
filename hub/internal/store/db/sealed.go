package db

import (
	"context"
	"errors"
	"fmt"
)

// sealedColumn is a column whose values are sealed, each for the row that id names.
type sealedColumn struct{ table, column, id string }

// sealedColumns are all of them. A test compares them with what the tables hold.
var sealedColumns = []sealedColumn{
	{"services", "secrets", "id"},
	{"service_keys", "private", "id"},
	{"connections", "tokens", "id"},
	{"connections", "options", "id"},
	{"token_history", "tokens", "connection_id || '/' || CAST(generation AS TEXT)"},
	{"intents", "reply", "id"},
	{"authorizations", "secrets", "id"},
	{"revocations", "tokens", "id"},
	{"revocations", "about", "id"},
	{"offered_grants", "grant_data", "connection_id"},
	{"device_authorizations", "secrets", "connection_id"},
	{"bulk_items", "import_row", "run_id || '/' || CAST(n AS TEXT)"},
	{"users", "second_factor", "id"},
	{"sessions", "data", "token"},
	{"audit_chain", "mac_key", "CAST(id AS TEXT)"},
	{"passkeys", "credential", "id"},
	{"channels", "settings", "id"},
	{"contacts", "addresses", "id"},
	{"deliveries", "message", "id"},
}

// OpenSealed opens every sealed value with the key and returns how many there are. Its
// error names the first that does not open, never what is in it.
func (in *Inspector) OpenSealed(ctx context.Context) (opened int, err error) {
	if in.s.Box == nil {
		return 0, errors.New("there is no key to open the sealed values with")
	}
	for _, c := range sealedColumns {
		n, err := in.openColumn(ctx, c)
		if opened += n; err != nil {
			return opened, err
		}
	}
	return opened, nil
}

func (in *Inspector) openColumn(ctx context.Context, c sealedColumn) (n int, err error) {
	rows, err := in.s.pools[0].QueryContext(ctx, fmt.Sprintf("SELECT %s, %s FROM %s WHERE LENGTH(%s) > 0", c.id, c.column, c.table, c.column))
	if err != nil {
		return 0, Failed("read the table "+c.table, err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id string
		var sealed []byte
		if err := rows.Scan(&id, &sealed); err != nil {
			return n, Failed("read the table "+c.table, err)
		}
		if _, err := in.s.Box.Open(sealed, c.table, id, c.column); err != nil {
			return n, err
		}
		n++
	}
	return n, Failed("read the table "+c.table, rows.Err())
}
