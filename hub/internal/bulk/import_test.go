package bulk_test

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/apptest"
	"github.com/evergrant/evergrant/hub/internal/app/connections"
	"github.com/evergrant/evergrant/hub/internal/bulk"
	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/bulkdb"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/sdk/provider"
)

// brought is a row whose refresh token is its name.
func brought(line int, name string) catalogue.ImportRow {
	return catalogue.ImportRow{Line: line, Import: catalogue.Import{Service: "svc", Name: name, Title: name, Grant: provider.Token{RefreshToken: name, ExpiresIn: new(time.Duration)}}}
}

// imports runs an import to its end.
func imports(t *testing.T, r *apptest.Rig, b *bulk.Runner, try string, rows ...catalogue.ImportRow) map[string]string {
	t.Helper()
	id, err := b.BeginImport(r.As(t.Context(), access.RoleAdministrator), rows, try)
	apptest.Must(t, err)
	results, _ := ended(t, b, id)
	return results
}

// states are the connections in use, as "name state".
func states(t *testing.T, r *apptest.Rig) (all []string) {
	t.Helper()
	found, err := r.Store.Grants.Connections(t.Context(), grantdb.Filter{})
	apptest.Must(t, err)
	for _, c := range found {
		all = append(all, c.Name+" "+string(c.State))
	}
	slices.Sort(all)
	return all
}

func same(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// Row by row, each is imported and renewed, and one that the service refuses stays imported.
func TestAnImportIsTriedRowByRow(t *testing.T) {
	apptest.Each(t, func(t *testing.T, r *apptest.Rig) {
		r.Service(t, "svc")
		b := runner(t, r, nil)
		want(t, imports(t, r, b, bulk.TryRows, brought(2, "one"), brought(3, "dead"), brought(4, "two")),
			"dead: troubled @import_stays_person the grant is over (invalid_grant)", "one: done", "two: done")
		same(t, "in use", states(t, r), "dead ended", "one active", "two active")
		r.Answer.Store(503)
		want(t, imports(t, r, b, bulk.TryRows, brought(2, "three")), "three: troubled @import_stays_later the service answers 503")
		r.Answer.Store(400)
		want(t, imports(t, r, b, bulk.TryRows, brought(2, "four")), "four: troubled @import_stays_operator the service says no (invalid_client)")
		sent := r.Spent()
		slices.Sort(sent)
		same(t, "sent", sent, "dead", "four", "one", "three", "two")
	})
}

// All or nothing: with one that the service refuses, nothing is in use, and the table is
// imported again with what the others have got meanwhile.
func TestAnImportOfAllOrNothing(t *testing.T) {
	for name, rows := range map[string][]catalogue.ImportRow{
		"the dead one last":  {brought(2, "one"), brought(3, "two"), brought(4, "dead")},
		"the dead one first": {brought(2, "dead"), brought(3, "one"), brought(4, "two")},
	} {
		t.Run(name, func(t *testing.T) {
			apptest.Each(t, func(t *testing.T, r *apptest.Rig) {
				r.Service(t, "svc")
				b := runner(t, r, nil)
				want(t, imports(t, r, b, bulk.TryAll, rows...), "dead: failed @import_no_person the grant is over (invalid_grant)", "one: cancelled @import_kept", "two: cancelled @import_kept")
				same(t, "in use", states(t, r))
				sent := r.Spent()
				slices.Sort(sent)
				same(t, "sent", sent, "dead", "one", "two")
				mended := slices.Clone(rows)
				for i := range mended {
					if mended[i].Name == "dead" {
						mended[i].Grant.RefreshToken = "mended"
					}
				}
				want(t, imports(t, r, b, bulk.TryAll, mended...), "dead: done", "one: done", "two: done")
				same(t, "in use", states(t, r), "dead active", "one active", "two active")
				sent = r.Spent()[3:]
				slices.Sort(sent)
				same(t, "sent again", sent, "a-refresh-token", "a-refresh-token", "mended")
			})
		})
	}
}

// A service that says whether a refresh token is in force refuses a dead row of an import
// of all or nothing before any is spent: nothing is added, and the mended table is imported
// with the tokens that it has always had.
func TestADeadRowIsRefusedByARehearsalBeforeAnythingIsSpent(t *testing.T) {
	for name, rows := range map[string][]catalogue.ImportRow{
		"the dead one last":  {brought(2, "one"), brought(3, "two"), brought(4, "dead")},
		"the dead one first": {brought(2, "dead"), brought(3, "one"), brought(4, "two")},
	} {
		t.Run(name, func(t *testing.T) {
			apptest.Each(t, func(t *testing.T, r *apptest.Rig) {
				draft := r.Draft("svc")
				draft.Provider = apptest.Telling
				_, err := r.Catalogue.AddService(t.Context(), draft)
				apptest.Must(t, err)
				b := runner(t, r, nil)
				want(t, imports(t, r, b, bulk.TryAll, rows...), "dead: failed @import_no_person", "one: cancelled @import_untried", "two: cancelled @import_untried")
				same(t, "sent", r.Spent())
				same(t, "in use", states(t, r))
				if n, err := r.Store.Grants.CountTrash(t.Context(), grantdb.TrashFilter{}); n != 0 || err != nil {
					t.Errorf("%d are in the trash: %v", n, err)
				}
				mended := slices.DeleteFunc(slices.Clone(rows), func(row catalogue.ImportRow) bool { return row.Name == "dead" })
				want(t, imports(t, r, b, bulk.TryAll, mended...), "one: done", "two: done")
				sent := r.Spent()
				slices.Sort(sent)
				same(t, "sent of the mended table", sent, "one", "two")
			})
		})
	}
}

// What an import of all or nothing has set aside is taken by an import without a try, too.
func TestWhatWasSetAsideIsImportedWithItsNewestTokens(t *testing.T) {
	apptest.Each(t, func(t *testing.T, r *apptest.Rig) {
		r.Service(t, "svc")
		b := runner(t, r, nil)
		imports(t, r, b, bulk.TryAll, brought(2, "one"), brought(3, "dead"))
		again := brought(2, "another-name")
		again.Grant.RefreshToken, again.Title = "one", "Another title"
		want(t, imports(t, r, b, bulk.TryNone, again), "another-name: done")
		c, err := r.Store.Grants.ConnectionByName(t.Context(), "another-name")
		apptest.Must(t, err)
		if c.Tokens.RefreshToken != "a-refresh-token" || c.State != connection.StateActive || c.Title != "Another title" || c.Generation < 2 {
			t.Errorf("it is %s with generation %d, called %q", c.State, c.Generation, c.Title)
		}
	})
}

// A name that is taken is found before anything is sent or stored.
func TestNothingIsSentForATableThatCannotBeImported(t *testing.T) {
	apptest.Each(t, func(t *testing.T, r *apptest.Rig) {
		s := r.Service(t, "svc")
		r.Connection(t, s, "taken")
		b := runner(t, r, nil)
		results := imports(t, r, b, bulk.TryAll, brought(2, "one"), brought(3, "taken"))
		if results["one"] != "cancelled @import_untried" || !strings.HasPrefix(results["taken"], "failed @both This name is taken") {
			t.Errorf("the results are %v", results)
		}
		same(t, "sent", r.Spent())
		same(t, "in use", states(t, r), "taken active")
	})
}

// kept is a row as the item of a run keeps it.
func kept(t *testing.T, row catalogue.ImportRow) bulkdb.BulkItem {
	t.Helper()
	plain, err := json.Marshal(struct {
		catalogue.Import

		At time.Time
	}{row.Import, time.Now()})
	apptest.Must(t, err)
	return bulkdb.BulkItem{N: row.Line, Name: row.Name, ImportRow: plain}
}

// A hub that takes over an import goes on where the other one died: after a row was added,
// after it was renewed, or before either. No token is sent twice.
func TestAnImportGoesOnWhereItsHubDied(t *testing.T) {
	for _, try := range []string{bulk.TryRows, bulk.TryAll} {
		apptest.Each(t, func(t *testing.T, r *apptest.Rig) {
			r.Service(t, "svc")
			names := []string{"renewed", "added", "waiting"}
			var items []bulkdb.BulkItem
			for n, name := range names {
				items = append(items, kept(t, brought(n, name)))
			}
			run := bulkdb.BulkRun{ID: store.NewID(), Act: bulk.Import, Argument: try, Actor: "anna", CreatedAt: time.Now().Add(-2 * time.Minute)}
			apptest.Must(t, r.Store.Bulk.CreateBulkRunOf(t.Context(), run, items))
			x, ctx := acts(r), r.As(t.Context(), access.RoleAdministrator)
			for n, name := range names[:2] {
				in := brought(n, name).Import
				in.Held = try == bulk.TryAll
				in.Placed = func(ctx context.Context, c connection.Connection) error {
					return r.Store.Bulk.BindBulkItem(ctx, run.ID, bulkdb.BulkItem{N: n, ConnectionID: c.ID, Message: "@import_bound 1"})
				}
				_, err := x.Import(ctx, in)
				apptest.Must(t, err)
			}
			_, _, err := x.Try(ctx, connections.Named("renewed"))
			apptest.Must(t, err)
			b := runner(t, r, nil)
			apptest.Must(t, b.Resume(t.Context()))
			results, _ := ended(t, b, run.ID)
			want(t, results, "added: done", "renewed: done", "waiting: done")
			same(t, "in use", states(t, r), "added active", "renewed active", "waiting active")
			sent := r.Spent()
			slices.Sort(sent)
			same(t, "sent", sent, "added", "renewed", "waiting")
			for n := range names {
				if left, err := r.Store.Bulk.ImportRow(t.Context(), run.ID, n); left != nil || err != nil {
					t.Errorf("line %d is still kept: %v", n, err)
				}
			}
		})
	}
}

// A row that waits is sealed, and gone with its result.
func TestARowOfAnImportIsSealed(t *testing.T) {
	apptest.Each(t, func(t *testing.T, r *apptest.Rig) {
		run := bulkdb.BulkRun{ID: store.NewID(), Act: bulk.Import, CreatedAt: time.Now()}
		apptest.Must(t, r.Store.Bulk.CreateBulkRunOf(t.Context(), run, []bulkdb.BulkItem{kept(t, brought(2, "secret-token"))}))
		plain, err := r.Store.Bulk.ImportRow(t.Context(), run.ID, 2)
		if err != nil || !bytes.Contains(plain, []byte("secret-token")) {
			t.Errorf("the row is %q: %v", plain, err)
		}
		_, _, items, err := r.Store.Bulk.BulkRun(t.Context(), run.ID, bulkdb.BulkPage{Limit: 1})
		if err != nil || len(items) != 1 || items[0].ImportRow != nil {
			t.Errorf("the page of the run has it: %v %v", items, err)
		}
		apptest.Must(t, r.Store.Bulk.CancelBulkRun(t.Context(), run.ID, time.Now()))
		if plain, err = r.Store.Bulk.ImportRow(t.Context(), run.ID, 2); plain != nil || err != nil {
			t.Errorf("after the run was cancelled it has %q: %v", plain, err)
		}
	})
}

// A run of all or nothing that is cancelled leaves nothing in use, and loses nothing.
func TestACancelledImportOfAllLeavesNothingInUse(t *testing.T) {
	apptest.Each(t, func(t *testing.T, r *apptest.Rig) {
		r.Service(t, "svc")
		run := bulkdb.BulkRun{ID: store.NewID(), Act: bulk.Import, Argument: bulk.TryAll, Actor: "anna", CreatedAt: time.Now().Add(-2 * time.Minute)}
		apptest.Must(t, r.Store.Bulk.CreateBulkRunOf(t.Context(), run, []bulkdb.BulkItem{kept(t, brought(0, "one")), kept(t, brought(1, "two"))}))
		in := brought(0, "one").Import
		in.Held = true
		in.Placed = func(ctx context.Context, c connection.Connection) error {
			return r.Store.Bulk.BindBulkItem(ctx, run.ID, bulkdb.BulkItem{N: 0, ConnectionID: c.ID, Message: "@import_bound 1"})
		}
		ctx := r.As(t.Context(), access.RoleAdministrator)
		_, err := acts(r).Import(ctx, in)
		apptest.Must(t, err)
		b := runner(t, r, nil)
		apptest.Must(t, b.Cancel(ctx, run.ID))
		apptest.Must(t, b.Resume(t.Context()))
		results, _ := ended(t, b, run.ID)
		want(t, results, "one: cancelled @import_untried", "two: cancelled @import_untried")
		same(t, "in use", states(t, r))
		if n, err := r.Store.Grants.CountTrash(t.Context(), grantdb.TrashFilter{}); n != 1 || err != nil {
			t.Errorf("%d are in the trash: %v", n, err)
		}
	})
}
