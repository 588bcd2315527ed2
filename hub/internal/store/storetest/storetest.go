// Package storetest opens stores for tests: on SQLite in a temporary folder, and
// on PostgreSQL in a database of its own on the throw-away server that
// EVERGRANT_TEST_POSTGRES names.
package storetest

import (
	"context"
	"database/sql"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver of Postgres

	"github.com/evergrant/evergrant/hub/internal/seal"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/replicadb"
)

// the driver of Postgres

// PostgresVariable names the postgres:// address of a server where tests may
// make databases.
const PostgresVariable = "EVERGRANT_TEST_POSTGRES"

// Each runs a test on SQLite and on PostgreSQL, each time on an empty store.
// Without a PostgreSQL server the second half is skipped, under CI it fails.
func Each(t *testing.T, test func(t *testing.T, s *store.Store)) {
	t.Helper()
	t.Run(store.SQLite, func(t *testing.T) { test(t, SQLite(t)) })
	t.Run(store.PostgreSQL, func(t *testing.T) { test(t, Open(t, Postgres(t))) })
}

// SQLite opens an empty store on a file that goes with the test.
func SQLite(tb testing.TB) *store.Store {
	tb.Helper()
	return Open(tb, "sqlite:"+filepath.Join(Folder(tb), "evergrant.db"))
}

// Postgres makes a database that goes with the test and returns its address, for
// Open or for a hub under test.
func Postgres(tb testing.TB) string {
	tb.Helper()
	server := os.Getenv(PostgresVariable)
	if server == "" {
		if os.Getenv("CI") != "" {
			tb.Fatalf("%s is empty: CI has to test on PostgreSQL too", PostgresVariable)
		}
		tb.Skipf("not tested on PostgreSQL: run it under scripts/with-postgres.sh, or name a throw-away server in %s", PostgresVariable)
	}
	address, err := url.Parse(server)
	if err != nil {
		tb.Fatalf("%s is no address: %v", PostgresVariable, err)
	}
	name := "test_" + strings.ReplaceAll(store.NewID(), "-", "")
	execute(tb, server, "CREATE DATABASE "+name)
	tb.Cleanup(func() { execute(tb, server, "DROP DATABASE "+name+" WITH (FORCE)") })
	address.Path = "/" + name
	return address.String()
}

func execute(tb testing.TB, server, statement string) {
	tb.Helper()
	pool, err := sql.Open("pgx", server)
	if err != nil {
		tb.Fatal(err)
	}
	defer pool.Close()
	// A test's own context has ended when its database is dropped.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(tb.Context()), time.Minute)
	defer cancel()
	if _, err := pool.ExecContext(ctx, statement); err != nil {
		tb.Fatalf("%s: %v", statement, err)
	}
}

// Open opens the store at an address with a new key and closes it at the end of
// the test. A second store on the same database needs the first one's key, which
// OpenWith takes.
func Open(tb testing.TB, address string) *store.Store {
	tb.Helper()
	return OpenWith(tb, store.Options{URL: address})
}

// OpenWith is Open with some options given; a missing Box is made.
func OpenWith(tb testing.TB, o store.Options) *store.Store {
	tb.Helper()
	if o.Box == nil {
		o.Box = Box(tb)
	}
	s, err := store.Open(tb.Context(), o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Errorf("close the store: %v", err)
		}
	})
	return s
}

// Enter registers a replica of its own and returns its name in leases and intents.
func Enter(tb testing.TB, s *store.Store, id string) (owner string) {
	tb.Helper()
	r := replicadb.Replica{ID: id, Epoch: 1, Name: id}
	if _, err := s.Replicas.EnterReplica(tb.Context(), r, 0); err != nil {
		tb.Fatal(err)
	}
	return r.Owner()
}

// Box makes a key that is forgotten with the test.
func Box(tb testing.TB) *seal.Box {
	tb.Helper()
	box, err := seal.Create(filepath.Join(tb.TempDir(), "evergrant.key"))
	if err != nil {
		tb.Fatal(err)
	}
	return box
}
