package store_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/renewaldb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/sdk/provider"
)

func intentFor(c connection.Connection, owner string) renewaldb.Intent {
	return renewaldb.Intent{
		ID: store.NewID(), ConnectionID: c.ID, Generation: c.Generation, Fingerprint: "fp", Owner: owner,
		StartedAt: noon, BegunAt: noon, Deadline: noon.Add(30 * time.Second),
	}
}

// begin takes the lease for the intent's owner and commits the intent.
func begin(t *testing.T, s *store.Store, intent renewaldb.Intent) {
	t.Helper()
	if won, err := s.Renewals.TakeLease(t.Context(), intent.ConnectionID, intent.Owner, time.Minute); err != nil || !won {
		t.Fatalf("the lease was not to be had: %v", err)
	}
	check(t, s.Renewals.BeginIntent(t.Context(), intent))
}

func TestRenewalBeginsOnlyUnderTheLeaseAndOnTheCurrentGeneration(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		me, another := storetest.Enter(t, s, "me"), storetest.Enter(t, s, "another")
		c := addGranted(t, s, addService(t, s, "portal").ID, "sales")
		wantErr(t, s.Renewals.BeginIntent(t.Context(), intentFor(c, me)), store.ErrStale)
		_, err := s.Renewals.TakeLease(t.Context(), c.ID, me, time.Minute)
		check(t, err)
		wantErr(t, s.Renewals.BeginIntent(t.Context(), intentFor(c, another)), store.ErrStale)
		check(t, s.Renewals.SaveRenewal(t.Context(), c.Renewed(noon, noon, tokens("plain-access-2", "r2")), 1, "", "nobody"))
		wantErr(t, s.Renewals.BeginIntent(t.Context(), intentFor(c, me)), store.ErrStale)
		gone := intentFor(c, me)
		gone.ConnectionID = store.NewID()
		wantErr(t, s.Renewals.BeginIntent(t.Context(), gone), store.ErrStale)
	})
}

func TestAnIntentKnowsThePluginThatMakesItsRequests(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		me := storetest.Enter(t, s, "me")
		c := addGranted(t, s, addService(t, s, "portal").ID, "sales")
		intent := intentFor(c, me)
		intent.PluginVersion, intent.PluginSum = "1.2.3", "abc"
		begin(t, s, intent)
		got, err := s.Renewals.OpenIntent(t.Context(), c.ID)
		check(t, err)
		if got.PluginVersion != "1.2.3" || got.PluginSum != "abc" {
			t.Errorf("it is of %q, %q", got.PluginVersion, got.PluginSum)
		}
	})
}

// What many write at one time is written together, and each still gets its own
// answer.
func TestManyRenewalsAtOnceEachGetTheirOwnAnswer(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		me := storetest.Enter(t, s, "me")
		svc := addService(t, s, "portal")
		const many = 60
		var group sync.WaitGroup
		for n := range many {
			c := addGranted(t, s, svc.ID, fmt.Sprintf("many-%02d", n))
			group.Go(func() {
				intent := intentFor(c, me)
				if won, err := s.Renewals.TakeLease(t.Context(), c.ID, me, time.Minute); err != nil || !won {
					t.Errorf("%s: no lease: %v", c.Name, err)
				}
				if err := s.Renewals.BeginIntent(t.Context(), intent); err != nil {
					t.Errorf("%s: %v", c.Name, err)
				}
				from := int64(1)
				if n%5 == 0 {
					from = 7
				}
				err := s.Renewals.SaveRenewal(t.Context(), c.Renewed(noon, noon, tokens("plain-access-2", "r2")), from, intent.ID, me)
				if stale := errors.Is(err, store.ErrStale); stale != (n%5 == 0) || (err != nil && !stale) {
					t.Errorf("%s: %v", c.Name, err)
				}
			})
		}
		group.Wait()
		for n := range many {
			c, err := s.Grants.ConnectionByName(t.Context(), fmt.Sprintf("many-%02d", n))
			check(t, err)
			if want := int64(min(n%5, 1) + 1); c.Generation != want {
				t.Errorf("%s has generation %d, want %d", c.Name, c.Generation, want)
			}
		}
		if open, err := s.Renewals.OpenIntents(t.Context(), ""); err != nil || len(open) != 0 {
			t.Errorf("%d intents are open, %v", len(open), err)
		}
	})
}

func TestRenewalIsSavedWhole(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		me, another := storetest.Enter(t, s, "me"), storetest.Enter(t, s, "another")
		svc := addService(t, s, "portal")
		c := addGranted(t, s, svc.ID, "sales")
		_, err := s.Renewals.TakeLease(t.Context(), c.ID, me, time.Minute)
		check(t, err)
		intent := intentFor(c, me)
		check(t, s.Renewals.BeginIntent(t.Context(), intent))
		wantErr(t, s.Renewals.BeginIntent(t.Context(), intentFor(c, me)), store.ErrInUse)

		renewed := c.Renewed(noon.Add(time.Hour), noon.Add(time.Hour), tokens("plain-access-2", "plain-refresh-2"))
		check(t, s.Renewals.SaveRenewal(t.Context(), renewed, 1, intent.ID, me))
		got := read(t, s, c.ID)
		if got.Generation != 2 || got.Tokens.RefreshToken != "plain-refresh-2" || !got.Due.Equal(cut(renewed.Due)) || !got.RenewedAt.Equal(cut(renewed.RenewedAt)) {
			t.Errorf("%+v", got)
		}
		_, err = s.Renewals.OpenIntent(t.Context(), c.ID)
		wantErr(t, err, store.ErrNotFound)
		past, err := s.Grants.History(t.Context(), c.ID)
		check(t, err)
		if len(past) != 1 || past[0].Tokens.AccessToken != "plain-access-1" {
			t.Errorf("history %v", past)
		}
		if ok, err := s.Renewals.TakeLease(t.Context(), c.ID, another, time.Minute); !ok || err != nil {
			t.Errorf("the lease was not freed: %v", err)
		}
	})
}

func TestLateSuccessIsKeptWithoutALease(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		successor, third := storetest.Enter(t, s, "successor"), storetest.Enter(t, s, "third")
		c := addGranted(t, s, addService(t, s, "portal").ID, "sales")
		_, err := s.Renewals.TakeLease(t.Context(), c.ID, successor, time.Hour)
		check(t, err)
		renewed := c.Renewed(noon, noon, tokens("plain-access-2", "plain-refresh-2"))
		check(t, s.Renewals.SaveRenewal(t.Context(), renewed, 1, "", "late"))
		if got := read(t, s, c.ID); got.Tokens.RefreshToken != "plain-refresh-2" {
			t.Error("the only live refresh token was lost")
		}
		if ok, err := s.Renewals.TakeLease(t.Context(), c.ID, third, time.Minute); ok || err != nil {
			t.Errorf("the successor's lease was freed: %v", err)
		}
	})
}

func TestRenewalLosesToANewerGenerationAndKeepsIt(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		me := storetest.Enter(t, s, "me")
		c := addGranted(t, s, addService(t, s, "portal").ID, "sales")
		intent := intentFor(c, me)
		begin(t, s, intent)
		again := c.Granted(noon, noon, tokens("plain-access-person", "plain-refresh-person"), c.Account, nil)
		check(t, s.Grants.UpdateConnection(t.Context(), again, c))

		renewed := c.Renewed(noon, noon, tokens("plain-access-late", "plain-refresh-late"))
		wantErr(t, s.Renewals.SaveRenewal(t.Context(), renewed, 1, intent.ID, me), store.ErrStale)
		failure := c.Failed(noon, 1, &provider.Error{Kind: provider.ReauthorizationRequired})
		wantErr(t, s.Renewals.SaveFailure(t.Context(), failure, 1, "", "me"), store.ErrStale)
		got := read(t, s, c.ID)
		if got.Generation != 2 || got.Tokens.AccessToken != "plain-access-person" || got.State != connection.StateActive {
			t.Errorf("generation %d, state %s", got.Generation, got.State)
		}
		_, err := s.Renewals.OpenIntent(t.Context(), c.ID)
		wantErr(t, err, store.ErrNotFound)
		renewed.ID = store.NewID()
		wantErr(t, s.Renewals.SaveRenewal(t.Context(), renewed, 1, "", "me"), store.ErrNotFound)
	})
}

func TestConcurrentRenewalsOfOneGenerationHaveOneWinner(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		c := addGranted(t, s, addService(t, s, "portal").ID, "sales")
		var wins atomic.Int32
		var savers sync.WaitGroup
		for i := range 12 {
			savers.Go(func() {
				renewed := c.Renewed(noon, noon, tokens(fmt.Sprint("plain-", i), "r"))
				switch err := s.Renewals.SaveRenewal(t.Context(), renewed, 1, "", fmt.Sprint(i)); {
				case err == nil:
					wins.Add(1)
				case !errors.Is(err, store.ErrStale):
					t.Error(err)
				}
			})
		}
		savers.Wait()
		if got := read(t, s, c.ID); wins.Load() != 1 || got.Generation != 2 {
			t.Errorf("%d winners, generation %d", wins.Load(), got.Generation)
		}
	})
}

func TestPauseDuringARenewalStays(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		c := addGranted(t, s, addService(t, s, "portal").ID, "sales")
		check(t, s.Grants.UpdateConnection(t.Context(), c.Paused(noon), c))
		check(t, s.Renewals.SaveFailure(t.Context(), c.Failed(noon, 1, &provider.Error{Kind: provider.Transient}), 1, "", "me"))
		check(t, s.Renewals.SaveRenewal(t.Context(), c.Renewed(noon, noon, tokens("plain-access-2", "r2")), 1, "", "me"))
		got := read(t, s, c.ID)
		if got.State != connection.StatePaused || !got.Due.IsZero() || got.Tokens.RefreshToken != "r2" || got.Failure != nil {
			t.Errorf("state %s, due %s, %s", got.State, got.Due, got.Tokens)
		}
		ended := got.Failed(noon, 2, &provider.Error{Kind: provider.ReauthorizationRequired})
		check(t, s.Renewals.SaveFailure(t.Context(), ended, 2, "", "me"))
		if got := read(t, s, c.ID); got.State != connection.StateEnded {
			t.Errorf("the grant has ended, but its state is %s", got.State)
		}
	})
}

func TestFailureChangesNothingElse(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		c := addGranted(t, s, addService(t, s, "portal").ID, "sales")
		check(t, s.Grants.RenameConnection(t.Context(), c.ID, "renamed"))
		failed := c.Failed(noon, 1, &provider.Error{Kind: provider.Transient, Message: "503"})
		failed.Tokens = connection.TokenSet{}
		check(t, s.Renewals.SaveFailure(t.Context(), failed, 1, "", "me"))
		got := read(t, s, c.ID)
		if got.Title != "renamed" || got.Tokens.AccessToken != "plain-access-1" || got.Failure == nil || !got.Due.Equal(cut(failed.Due)) {
			t.Errorf("%+v", got)
		}
	})
}

func TestIntentKeepsItsReplyForAnyReplica(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		me, other := storetest.Enter(t, s, "me"), storetest.Enter(t, s, "other")
		svc := addService(t, s, "portal")
		one, two := addGranted(t, s, svc.ID, "one"), addGranted(t, s, svc.ID, "two")
		mine, others := intentFor(one, me), intentFor(two, other)
		begin(t, s, mine)
		begin(t, s, others)
		check(t, s.Renewals.KeepReply(t.Context(), mine.ID, []byte("plain-reply")))
		wantErr(t, s.Renewals.KeepReply(t.Context(), store.NewID(), nil), store.ErrNotFound)

		got, err := s.Renewals.OpenIntent(t.Context(), one.ID)
		check(t, err)
		if string(got.Reply) != "plain-reply" || got.Owner != me || got.Deadline.Sub(got.BegunAt) != 30*time.Second || got.Generation != 1 {
			t.Errorf("%+v", got)
		}
		for owner, want := range map[string]int{me: 1, "nobody": 0, "": 2} {
			if open, err := s.Renewals.OpenIntents(t.Context(), owner); err != nil || len(open) != want {
				t.Errorf("%q has %d open intents, %v", owner, len(open), err)
			}
		}
		check(t, s.Renewals.DropIntent(t.Context(), mine.ID))
		check(t, s.Renewals.DropIntent(t.Context(), mine.ID))
		_, err = s.Renewals.OpenIntent(t.Context(), one.ID)
		wantErr(t, err, store.ErrNotFound)
	})
}
