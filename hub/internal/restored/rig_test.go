package restored_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/identity"
	"github.com/evergrant/evergrant/hub/internal/journal"
	"github.com/evergrant/evergrant/hub/internal/newest"
	"github.com/evergrant/evergrant/hub/internal/restored"
	"github.com/evergrant/evergrant/hub/internal/seal"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/replicadb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/sdk/provider"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// database is a store that can be changed behind its hubs' backs.
type database struct {
	*store.Store

	address string
	box     *seal.Box
}

// each runs a test on an empty database of either kind.
func each(t *testing.T, test func(t *testing.T, db *database)) {
	t.Helper()
	for _, kind := range []string{store.SQLite, store.PostgreSQL} {
		t.Run(kind, func(t *testing.T) {
			address := "sqlite:" + filepath.Join(storetest.Folder(t), "evergrant.db")
			if kind == store.PostgreSQL {
				address = storetest.Postgres(t)
			}
			test(t, open(t, address))
		})
	}
}

func open(t *testing.T, address string) *database {
	t.Helper()
	box := storetest.Box(t)
	return &database{storetest.OpenWith(t, store.Options{URL: address, Box: box}), address, box}
}

// exec changes the database as nobody of ours does.
func (db *database) exec(t *testing.T, statement string) {
	t.Helper()
	driver, source := "pgx", db.address
	if path, ok := strings.CutPrefix(db.address, "sqlite:"); ok {
		driver, source = "sqlite", "file:"+path+"?_pragma=busy_timeout(5000)"
	}
	pool, err := sql.Open(driver, source)
	must(t, err)
	_, err = pool.ExecContext(t.Context(), statement)
	must(t, errors.Join(err, pool.Close()))
}

// replica is a hub as far as its restores go.
type replica struct {
	*restored.Hold

	identity *identity.Identity
	journal  *journal.Journal
	newest   *newest.Keeper
	// compares says what each comparison shows, and how many there were.
	compares restored.Comparison
	compared int
	dir      string
}

// start starts a hub in a folder.
func (db *database) start(t *testing.T, dir string, found restored.Comparison) *replica {
	t.Helper()
	r := db.enter(t, dir)
	must(t, r.Entered(t.Context(), r.parts(), found))
	return r
}

// enter is start up to the comparison.
func (db *database) enter(t *testing.T, dir string) *replica {
	t.Helper()
	r := &replica{dir: dir}
	var err error
	r.journal, err = journal.Open(filepath.Join(dir, "journal"), db.box, nil)
	must(t, err)
	r.newest, err = newest.Open(dir, db.box, nil)
	must(t, err)
	t.Cleanup(func() { _ = errors.Join(r.journal.Close(), r.newest.Close()) })
	r.identity, err = identity.Enter(t.Context(), identity.Options{
		Store: db.Store, Journal: r.journal, Name: filepath.Base(dir), Noticed: func(n identity.Notice) {
			if n.Kind == identity.DatabaseBack && r.Hold != nil {
				r.Notice()
			}
		},
	})
	must(t, err)
	r.Hold = restored.New(restored.Options{Store: db.Store, Newest: r.newest, Identity: r.identity})
	must(t, r.Enter(t.Context()))
	return r
}

func (r *replica) parts() restored.Parts {
	return restored.Parts{Compare: func(context.Context) (restored.Comparison, error) {
		r.compared++
		return r.compares, nil
	}}
}

// stop ends a hub as a crash does.
func (r *replica) stop(t *testing.T) {
	t.Helper()
	must(t, errors.Join(r.journal.Close(), r.newest.Close()))
}

// beat gives a sign of life and looks.
func (r *replica) beat(t *testing.T) {
	t.Helper()
	must(t, r.identity.Confirm(t.Context()))
	must(t, r.Look(t.Context()))
}

// wants fails unless the newest restore was noticed in that way and stands so.
func (db *database) wants(t *testing.T, cause string, held bool) replicadb.Restore {
	t.Helper()
	at, err := db.Replicas.Restores(t.Context())
	must(t, err)
	if at.Newest.Cause != cause || at.Newest.Held() != held {
		t.Fatalf("the newest restore is %q, held %t, %d are waited for; want %q, %t", at.Newest.Cause, at.Newest.Held(), at.Waiting, cause, held)
	}
	return at.Newest
}

var lastName int

// add makes a connection that is due at a time from now.
func (db *database) add(t *testing.T, due time.Duration, change func(*connection.Connection)) connection.Connection {
	t.Helper()
	lastName++
	now, name := time.Now(), fmt.Sprint("c-", lastName)
	svc := service.Service{ID: store.NewID(), Name: name, Title: name, Provider: "x", CreatedAt: now, UpdatedAt: now}
	must(t, db.Services.CreateService(t.Context(), svc))
	policy := connection.Policy{AutoRenew: provider.AutoRenewRefreshToken, Rotation: provider.Rotation{Kind: provider.RotationRotates}}
	c := connection.New(now, store.NewID(), name, name, svc.ID, policy).
		Granted(now, now, provider.Token{AccessToken: "a", RefreshToken: "r", ExpiresIn: new(2 * time.Hour)}, provider.Account{}, nil)
	c.Due = now.Add(due)
	if change != nil {
		change(&c)
	}
	must(t, db.Grants.CreateConnection(t.Context(), c))
	return c
}

// listed are the names of what is behind the backup, with the reasons.
func (db *database) listed(t *testing.T) map[string]string {
	t.Helper()
	all, err := db.Replicas.Behind(t.Context(), 0)
	must(t, err)
	names := map[string]string{}
	for _, b := range all {
		names[b.Name] = b.Reason
	}
	return names
}
