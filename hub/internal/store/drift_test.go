package store_test

import (
	"slices"
	"testing"

	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

func TestMigrationsAndRowsNameTheSameColumns(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		tables := store.TablesOf(t, s)
		for table, columns := range store.ColumnsOfRows(t) {
			if want := tables[table]; !slices.Equal(columns, want) {
				t.Errorf("%s has the columns\n%v\nbut its row has\n%v", table, want, columns)
			}
			delete(tables, table)
		}
		delete(tables, "goose_db_version")
		if len(tables) > 0 {
			t.Errorf("tables without a row type: %v", tables)
		}
	})
}
