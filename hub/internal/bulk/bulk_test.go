package bulk_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/app/apptest"
	"github.com/evergrant/evergrant/hub/internal/app/connections"
	"github.com/evergrant/evergrant/hub/internal/bulk"
	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/escalation"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/bulkdb"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
	"github.com/evergrant/evergrant/hub/internal/waittest"
	"github.com/evergrant/evergrant/sdk/provider"
)

func TestMain(m *testing.M) { apptest.Main(m) }

// runner works on a rig, with what a test changes of its options.
func runner(t *testing.T, r *apptest.Rig, change func(*bulk.Options)) *bulk.Runner {
	t.Helper()
	o := bulk.Options{Store: r.Store, Recorder: r.Recorder, Logger: hclog.NewNullLogger(), Connections: acts(r)}
	if change != nil {
		change(&o)
	}
	b := bulk.New(o)
	t.Cleanup(b.Close)
	return b
}

func acts(r *apptest.Rig) *connections.Connections {
	return connections.New(connections.Options{
		Store: r.Store, Catalogue: r.Catalogue, Source: r.Source, Flow: r.Flow, TestCalls: r.TestCalls, Recorder: r.Recorder, Logger: hclog.NewNullLogger(),
	})
}

// ended waits for the end of a run and returns the results of its items by name, and how
// many are in each state.
func ended(t *testing.T, b *bulk.Runner, id string) (results map[string]string, counts map[string]int) {
	t.Helper()
	results = map[string]string{}
	waittest.Until(t, "the run ends", func() bool {
		run, states, items, err := b.Run(t.Context(), id, bulkdb.BulkPage{Limit: 100})
		apptest.Must(t, err)
		counts = states
		for _, item := range items {
			results[item.Name] = strings.TrimSpace(item.State + " " + item.Message)
		}
		return !run.DoneAt.IsZero()
	})
	return results, counts
}

func want(t *testing.T, results map[string]string, want ...string) {
	t.Helper()
	var got []string
	for name, result := range results {
		got = append(got, name+": "+result)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("the results are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// An item is done or says why not, and one that fails keeps no other from its act.
func TestEachConnectionHasAResultOfItsOwn(t *testing.T) {
	apptest.Each(t, func(t *testing.T, r *apptest.Rig) {
		s, b := r.Service(t, "svc"), runner(t, r, nil)
		r.Connection(t, s, "sales")
		r.Connection(t, s, "support")
		ctx := r.As(t.Context(), access.RoleAdministrator)
		run := func(what, argument string, f grantdb.Filter) map[string]string {
			t.Helper()
			id, n, err := b.Begin(ctx, what, argument, f)
			apptest.Must(t, err)
			results, counts := ended(t, b, id)
			if total := counts[bulkdb.BulkDone] + counts[bulkdb.BulkFailed]; total != n || n != len(results) {
				t.Errorf("%s: %d were chosen, %d have a result, and they are counted as %v", what, n, len(results), counts)
			}
			return results
		}
		all := grantdb.Filter{}
		want(t, run(bulk.Tag, "moscow", all), "sales: done", "support: done")
		want(t, run(bulk.Untag, "moscow", grantdb.Filter{Names: []string{"sales"}}), "sales: done")
		want(t, run(bulk.Pause, "", grantdb.Filter{Tag: "moscow"}), "support: done")
		want(t, run(bulk.Take, "", grantdb.Filter{Tag: "moscow"}), "support: done")
		want(t, run(bulk.Renew, "", all), "sales: done", "support: done")
		r.Answer.Store(http.StatusServiceUnavailable)
		want(t, run(bulk.Renew, "", all), "sales: failed the service answers 503", "support: failed the service answers 503")
		want(t, run(bulk.Revoke, "", grantdb.Filter{Names: []string{"support"}}), "support: failed @told_later the service answers 503")
		r.Answer.Store(http.StatusOK)
		want(t, run(bulk.Renew, "", all), "sales: done", "support: failed The grant was given back; authorize the connection again.")
		want(t, run("fly", "", all), "sales: failed there is no such act", "support: failed there is no such act")
		want(t, run(bulk.Delete, "", all), "sales: done", "support: done")
		trashed := grantdb.Filter{Trash: true}
		r.Connection(t, s, "sales")
		want(t, run(bulk.PutBack, "", trashed), "sales: failed @name_taken", "support: done")
		want(t, run(bulk.Remove, "", trashed), "sales: done")
		want(t, run(bulk.DeleteRevoke, "", all), "sales: done", "support: done")
	})
}

// What has gone since the run began is told as that.
func TestAConnectionThatHasGoneIsSaidToBe(t *testing.T) {
	apptest.Each(t, func(t *testing.T, r *apptest.Rig) {
		b := runner(t, r, nil)
		id := left(t, r, bulk.Pause, "somebody", item(0, store.NewID(), "gone"))
		apptest.Must(t, b.Resume(t.Context()))
		results, _ := ended(t, b, id)
		want(t, results, "gone: failed @gone")
	})
}

// Who may not do the act begins no run.
func TestARunIsBegunByWhoMayDoItsAct(t *testing.T) {
	apptest.Each(t, func(t *testing.T, r *apptest.Rig) {
		r.Connection(t, r.Service(t, "svc"), "sales")
		b, seq := runner(t, r, nil), int64(0)
		for _, test := range []struct {
			role, act string
			may       bool
		}{
			{access.RoleViewer, bulk.Pause, false}, {access.RoleOperator, bulk.Pause, true},
			{access.RoleOperator, bulk.Delete, false}, {access.RoleAdministrator, bulk.Delete, true},
		} {
			id, _, err := b.Begin(r.As(t.Context(), test.role), test.act, "", grantdb.Filter{})
			if may := !errors.Is(err, act.ErrNotAllowed); may != test.may || (err == nil) != test.may {
				t.Errorf("%s by a %s: %v", test.act, test.role, err)
			}
			if err == nil {
				ended(t, b, id)
			}
			records := r.Records(t, &seq)
			if begun := strings.Contains(records, "bulk."+test.act+" done"); begun != test.may {
				t.Errorf("%s by a %s is recorded as\n%s", test.act, test.role, records)
			}
		}
		if _, _, err := b.Decide(r.As(t.Context(), access.RoleOperator), nil, bulk.TryOnce); !errors.Is(err, act.ErrNotAllowed) {
			t.Errorf("an operator decides about grants behind a backup: %v", err)
		}
		if id, n, err := b.Decide(r.As(t.Context(), access.RoleAdministrator), nil, bulk.TryOnce); id != "" || n != 0 || err != nil {
			t.Errorf("nothing is behind a backup, and yet: %q %d %v", id, n, err)
		}
	})
}

func item(n int, id, name string) bulkdb.BulkItem {
	return bulkdb.BulkItem{N: n, ConnectionID: id, Name: name}
}

// left is a run that a hub began which has died since.
func left(t *testing.T, r *apptest.Rig, what, actor string, items ...bulkdb.BulkItem) (id string) {
	t.Helper()
	run := bulkdb.BulkRun{ID: store.NewID(), Act: what, Actor: actor, Address: "192.0.2.7", CreatedAt: time.Now().Add(-2 * time.Minute)}
	apptest.Must(t, r.Store.Bulk.CreateBulkRunOf(t.Context(), run, items))
	return run.ID
}

// A run whose hub died goes on with what waits, as who began it; what was done is not
// done again.
func TestARunGoesOnAfterARestart(t *testing.T) {
	apptest.Each(t, func(t *testing.T, r *apptest.Rig) {
		s := r.Service(t, "svc")
		first, second := r.Connection(t, s, "first"), r.Connection(t, s, "second")
		apptest.Must(t, r.Store.People.CreateUser(t.Context(), peopledb.User{ID: store.NewID(), Login: "anna", Role: access.RoleOperator, CreatedAt: time.Now()}))
		id := left(t, r, bulk.Pause, "anna", item(0, first.ID, "first"), item(1, second.ID, "second"))
		done := item(0, first.ID, "first")
		done.State = bulkdb.BulkDone
		apptest.Must(t, r.Store.Bulk.FinishBulkItem(t.Context(), id, done))

		b, seq := runner(t, r, nil), int64(0)
		apptest.Must(t, b.Resume(t.Context()))
		results, _ := ended(t, b, id)
		want(t, results, "first: done", "second: done")
		if records := r.Records(t, &seq); records != "connection.pause done second" {
			t.Errorf("recorded\n%s", records)
		}
		if last := r.Last(t); last.Actor != "anna" || last.ActorKind != "person" || last.Address != "192.0.2.7" || last.Detail["run"] != id {
			t.Errorf("it is recorded as %s %s of %s, %v", last.ActorKind, last.Actor, last.Address, last.Detail)
		}
		if id := left(t, r, bulk.Take, "a key", item(0, second.ID, "second")); true {
			apptest.Must(t, b.Resume(t.Context()))
			ended(t, b, id)
		}
		if last := r.Last(t); last.Actor != "a key" || last.ActorKind != "key" {
			t.Errorf("what a key began is recorded as %s %s", last.ActorKind, last.Actor)
		}
		fresh := bulkdb.BulkRun{ID: store.NewID(), Act: bulk.Pause, Actor: "anna", CreatedAt: time.Now()}
		apptest.Must(t, r.Store.Bulk.CreateBulkRunOf(t.Context(), fresh, []bulkdb.BulkItem{item(0, first.ID, "first")}))
		apptest.Must(t, b.Resume(t.Context()))
		b.Close()
		if _, counts, _, err := b.Run(t.Context(), fresh.ID, bulkdb.BulkPage{}); err != nil || counts[bulkdb.BulkWaiting] != 1 {
			t.Errorf("a run that another hub works on was taken from it: %v %v", counts, err)
		}
	})
}

// A run that is cancelled leaves alone what waits, and is over.
func TestACancelledRunLeavesAloneWhatWaits(t *testing.T) {
	apptest.Each(t, func(t *testing.T, r *apptest.Rig) {
		s := r.Service(t, "svc")
		first, second := r.Connection(t, s, "first"), r.Connection(t, s, "second")
		id := left(t, r, bulk.Pause, "anna", item(0, first.ID, "first"), item(1, second.ID, "second"))
		done := item(0, first.ID, "first")
		done.State = bulkdb.BulkDone
		apptest.Must(t, r.Store.Bulk.FinishBulkItem(t.Context(), id, done))
		b := runner(t, r, nil)
		if err := b.Cancel(r.As(t.Context(), access.RoleViewer), id); !errors.Is(err, act.ErrNotAllowed) {
			t.Errorf("a viewer cancels a run: %v", err)
		}
		apptest.Must(t, b.Cancel(r.As(t.Context(), access.RoleOperator), id))
		apptest.Must(t, b.Resume(t.Context()))
		results, counts := ended(t, b, id)
		want(t, results, "first: done", "second: cancelled")
		if counts[bulkdb.BulkDone] != 1 || counts[bulkdb.BulkCancelled] != 1 {
			t.Errorf("they are counted as %v", counts)
		}
		if err := b.Cancel(r.As(t.Context(), access.RoleOperator), id); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a run that is over is cancelled: %v", err)
		}
	})
}

// A hub that stops ends the group that it works on and leaves the rest to another one.
func TestAHubThatStopsLeavesTheRestToAnother(t *testing.T) {
	apptest.Each(t, func(t *testing.T, r *apptest.Rig) {
		s := r.Service(t, "svc")
		for n := range 201 { // one more than are worked on at one time
			r.Connection(t, s, fmt.Sprintf("c-%03d", n))
		}
		entered, leave := make(chan struct{}), make(chan struct{})
		b := runner(t, r, func(o *bulk.Options) {
			o.SendLinks = func(context.Context, []string) (map[string]escalation.LinkSent, error) {
				close(entered)
				<-leave
				return nil, errors.New("the mail server does not answer")
			}
		})
		id, n, err := b.Begin(r.As(t.Context(), access.RoleOperator), bulk.Links, "", grantdb.Filter{})
		if n != 201 || err != nil {
			t.Fatal(n, err)
		}
		waittest.For(t, "links are sent", entered)
		stopped := make(chan struct{})
		go func() { b.Close(); close(stopped) }()
		close(leave)
		waittest.For(t, "the runner stops", stopped)
		_, counts, items, err := b.Run(t.Context(), id, bulkdb.BulkPage{Limit: 1})
		if err != nil || counts[bulkdb.BulkFailed] != 200 || counts[bulkdb.BulkWaiting] != 1 || items[0].Message != "the mail server does not answer" {
			t.Errorf("what was in progress has no result, or the rest was not left: %v %v %v", counts, items, err)
		}
	})
}

// Each owner gets the links of a group together, and each connection says who got its link
// or why nobody did.
func TestLinksSayWhoGotThemOrWhyNobodyDid(t *testing.T) {
	apptest.Each(t, func(t *testing.T, r *apptest.Rig) {
		s := r.Service(t, "svc")
		results := map[string]escalation.LinkSent{
			r.Connection(t, s, "asked").ID:       {To: "Anna"},
			r.Connection(t, s, "fine").ID:        {Reason: escalation.ReasonNotNeeded},
			r.Connection(t, s, "nobodys").ID:     {Reason: escalation.ReasonNoContact},
			r.Connection(t, s, "unreachable").ID: {Reason: escalation.ReasonNoAddress},
			r.Connection(t, s, "old").ID:         {Reason: escalation.ReasonTooOld},
			r.Connection(t, s, "refused").ID:     {Reason: "credentials", Said: "535 no"},
		}
		calls := 0
		b := runner(t, r, func(o *bulk.Options) {
			o.SendLinks = func(_ context.Context, ids []string) (map[string]escalation.LinkSent, error) {
				calls++
				return results, nil
			}
		})
		id, _, err := b.Begin(r.As(t.Context(), access.RoleOperator), bulk.Links, "", grantdb.Filter{})
		apptest.Must(t, err)
		got, _ := ended(t, b, id)
		if want(t, got, "asked: done @link_sent Anna", "fine: failed @link_not_needed", "nobodys: failed @link_no_contact", "old: failed @gone",
			"refused: failed @delivery.credentials 535 no", "unreachable: failed @link_no_address"); calls != 1 {
			t.Errorf("they were sent in %d groups", calls)
		}
	})
}

// An import adds its rows in their order, and says of each why it was not added.
func TestAnImportSaysOfEachRowWhatCameOfIt(t *testing.T) {
	apptest.Each(t, func(t *testing.T, r *apptest.Rig) {
		s, b := r.Service(t, "svc"), runner(t, r, nil)
		r.Connection(t, s, "sales")
		row := func(line int, service, name, title string) catalogue.ImportRow {
			return catalogue.ImportRow{Line: line, Import: catalogue.Import{Service: service, Name: name, Title: title, Grant: provider.Token{
				AccessToken: name + "-brought", RefreshToken: "r", ExpiresIn: provider.Seconds(3600),
			}}}
		}
		ctx := r.As(t.Context(), access.RoleAdministrator)
		id, err := b.BeginImport(ctx, []catalogue.ImportRow{row(2, "svc", "brought", "Brought"), row(3, "svc", "", "Shop one"), row(4, "svc", "sales", "Sales"), row(5, "none", "lost", "Lost")}, bulk.TryNone)
		apptest.Must(t, err)
		results, _ := ended(t, b, id)
		if _, err := r.Store.Grants.ConnectionByName(t.Context(), "shop-one"); err != nil {
			t.Errorf("a row without a name is not named by its title: %v", err)
		}
		for name, begins := range map[string]string{"brought": "done", "shop-one": "done", "sales": "failed @both This name is taken", "lost": "failed @import_service"} {
			if !strings.HasPrefix(results[name], begins) {
				t.Errorf("%s: %q, want %q", name, results[name], begins)
			}
		}
		if key, said, ours := bulk.Said(strings.TrimPrefix(results["sales"], "failed ")); !ours || key != bulk.BothKey {
			t.Errorf("%q %q", key, said)
		} else if en, ru := bulk.Both(said); en == "" || ru == "" || en == ru {
			t.Errorf("in both languages: %q and %q", en, ru)
		}
		if _, err := b.BeginImport(r.As(t.Context(), access.RoleOperator), nil, bulk.TryNone); !errors.Is(err, act.ErrNotAllowed) {
			t.Errorf("an operator imports: %v", err)
		}
		lost := left(t, r, bulk.Import, "anna", item(2, "", "forgotten"))
		apptest.Must(t, b.Resume(t.Context()))
		results, _ = ended(t, b, lost)
		want(t, results, "forgotten: failed @import_lost")
	})
}

// Before an act is begun, the page says what it would concern.
func TestWhatAnActWouldConcernIsSaidBefore(t *testing.T) {
	apptest.Each(t, func(t *testing.T, r *apptest.Rig) {
		s, b := r.Service(t, "svc"), runner(t, r, nil)
		r.Connection(t, s, "sales")
		r.Connection(t, s, "support")
		going, err := b.Going(t.Context(), grantdb.Filter{}, 1)
		if err != nil || going.Connections != 2 || len(going.Names) != 1 {
			t.Errorf("%+v %v", going, err)
		}
		if contacts, ownerless, err := b.Receivers(t.Context(), grantdb.Filter{}); contacts != 0 || ownerless != 2 || err != nil {
			t.Errorf("%d contacts, %d without an owner: %v", contacts, ownerless, err)
		}
		if _, _, _, err := b.Run(t.Context(), "none", bulkdb.BulkPage{}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a run that is not there: %v", err)
		}
	})
}
