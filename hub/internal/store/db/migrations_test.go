package db

import (
	"slices"
	"testing"
)

func TestBothDialectsHaveTheSameMigrations(t *testing.T) {
	names := func(dialect string) (names []string) {
		entries, err := migrations.ReadDir("migrations/" + dialect)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			names = append(names, entry.Name())
		}
		return names
	}
	if one, two := names(SQLite), names(PostgreSQL); !slices.Equal(one, two) || len(one) == 0 {
		t.Errorf("SQLite has %v, PostgreSQL has %v", one, two)
	}
}
