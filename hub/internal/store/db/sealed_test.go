package db

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/evergrant/evergrant/hub/internal/seal"
)

// TestEverySealedColumnIsKnown looks at all columns of bytes: each is sealed, and known to
// whoever opens all of them, or is one of those that are not sealed.
func TestEverySealedColumnIsKnown(t *testing.T) {
	box, err := seal.Create(filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), Options{DataDir: t.TempDir(), Box: box})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	open := []string{"audit_records.hash", "audit_chain.hash", "audit_chain.base_hash", "audit_chain.end_mac", "audit_chain.base_mac", "audit_links.hash_before", "audit_links.hash_after", "audit_links.mac", "plugin_pieces.data"}
	for _, c := range sealedColumns {
		open = append(open, c.table+"."+c.column)
	}
	slices.Sort(open)
	own, err := ownTables(SQLite)
	if err != nil {
		t.Fatal(err)
	}
	found, err := texts(t.Context(), s.pools[0], `SELECT m.name || '.' || c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND c.type = 'BLOB'`)
	if err != nil {
		t.Fatal(err)
	}
	found = slices.DeleteFunc(found, func(column string) bool {
		return !slices.ContainsFunc(own, func(table string) bool { return len(column) > len(table) && column[:len(table)+1] == table+"." })
	})
	slices.Sort(found)
	if !slices.Equal(found, open) {
		t.Errorf("columns of bytes are\n%v\nknown are\n%v", found, open)
	}
}
