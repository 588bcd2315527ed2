package store_test

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/sdk/provider"
)

func TestConnectionComesBackAsItWasSaved(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		svc := addService(t, s, "portal")
		c := addGranted(t, s, svc.ID, "sales")
		added := c
		c = c.Failed(noon, 1, &provider.Error{Kind: provider.Blocked, Code: "PAYMENT_REQUIRED", Message: "unpaid",
			RetryAfter: time.Hour, Remedy: provider.Text{EN: "Pay.", RU: "Оплатите."}})
		check(t, s.Grants.UpdateConnection(t.Context(), c, added))

		got := read(t, s, c.ID)
		want := c
		want.Tokens.ObtainedAt, want.Tokens.ExpiresAt = cut(c.Tokens.ObtainedAt), cut(c.Tokens.ExpiresAt)
		want.Due, want.RenewedAt, want.AuthorizedAt = cut(c.Due), cut(c.RenewedAt), cut(c.AuthorizedAt)
		want.CreatedAt, want.UpdatedAt = cut(c.CreatedAt), cut(c.UpdatedAt).Add(time.Millisecond) // the second write at this time
		f := *c.Failure
		f.At, f.Since, f.RetryAfter, f.SameSince = cut(f.At), cut(f.Since), cut(f.RetryAfter), cut(f.SameSince)
		want.Failure = &f
		if !reflect.DeepEqual(got, want) {
			t.Errorf("came back\n%#v\nwant\n%#v", got, want)
		}
		if got.Tokens.AccessToken != "plain-access-1" || got.Tokens.Extra["member_id"] != "plain-member" {
			t.Error("the tokens changed")
		}
		if got.Tokens.Scopes == nil {
			t.Error("no scopes were granted, but it came back as: not said")
		}
		byName, err := s.Grants.ConnectionByName(t.Context(), "sales")
		check(t, err)
		if !reflect.DeepEqual(byName, got) {
			t.Error("by name it is another one")
		}
	})
}

func TestPendingConnectionHasNoTokens(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		svc := addService(t, s, "portal")
		c := connection.New(noon, store.NewID(), "new", "", svc.ID, renewing)
		check(t, s.Grants.CreateConnection(t.Context(), c))
		got := read(t, s, c.ID)
		if !reflect.DeepEqual(got.Tokens, connection.TokenSet{}) || got.State != connection.StatePending || !got.Due.IsZero() {
			t.Errorf("%+v", got)
		}
	})
}

func TestNameIsTakenOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		svc := addService(t, s, "portal")
		c := addGranted(t, s, svc.ID, "sales")
		c.ID = store.NewID()
		err := s.Grants.CreateConnection(t.Context(), c)
		wantErr(t, err, store.ErrNameTaken)
		if taken, ok := errors.AsType[*store.NameTakenError](err); !ok || taken.Field != "name" || taken.Value != "sales" {
			t.Errorf("%#v", err)
		}
		c.Name, c.ServiceID = "other", store.NewID()
		wantErr(t, s.Grants.CreateConnection(t.Context(), c), store.ErrNotFound)
	})
}

func TestConnectionsAreSearchedAndPaged(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		one, two := addService(t, s, "one"), addService(t, s, "two")
		for _, name := range []string{"b", "a", "B-2", "d_x"} {
			addGranted(t, s, one.ID, name)
		}
		c := addGranted(t, s, two.ID, "c")
		check(t, s.Grants.RenameConnection(t.Context(), c.ID, "Касса 100% ЁЖ"))
		for _, test := range []struct {
			filter grantdb.Filter
			want   []string
		}{
			{grantdb.Filter{}, []string{"B-2", "a", "b", "c", "d_x"}},
			{grantdb.Filter{ServiceID: two.ID}, []string{"c"}},
			{grantdb.Filter{Query: "касса 100%"}, []string{"c"}},
			{grantdb.Filter{Query: "ёж"}, []string{"c"}},
			{grantdb.Filter{Query: "%"}, []string{"c"}},
			{grantdb.Filter{Query: "_"}, []string{"d_x"}},
			{grantdb.Filter{Query: "b"}, []string{"B-2", "b"}},
			{grantdb.Filter{Limit: 2}, []string{"B-2", "a"}},
			{grantdb.Filter{Limit: 2, AfterName: "a"}, []string{"b", "c"}},
			{grantdb.Filter{Query: "!"}, nil},
		} {
			found, err := s.Grants.Connections(t.Context(), test.filter)
			check(t, err)
			var names []string
			for _, c := range found {
				names = append(names, c.Name)
				if c.Tokens.AccessToken == "" {
					t.Error("a list without tokens has no status")
				}
			}
			if !reflect.DeepEqual(names, test.want) {
				t.Errorf("%+v found %v, want %v", test.filter, names, test.want)
			}
		}
		counts, err := s.Grants.CountByService(t.Context())
		check(t, err)
		if !reflect.DeepEqual(counts, map[string]int{one.ID: 4, two.ID: 1}) {
			t.Errorf("counts %v", counts)
		}
	})
}

func TestPersonsChangeLosesToANewerGeneration(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		svc := addService(t, s, "portal")
		c := addGranted(t, s, svc.ID, "sales")
		renewed := c.Renewed(noon.Add(time.Minute), noon.Add(time.Minute), tokens("plain-access-2", "plain-refresh-2"))
		check(t, s.Renewals.SaveRenewal(t.Context(), renewed, 1, "", "me"))

		wantErr(t, s.Grants.UpdateConnection(t.Context(), c.Paused(noon), c), store.ErrStale)
		if got := read(t, s, c.ID); got.State != connection.StateActive || got.Tokens.AccessToken != "plain-access-2" {
			t.Errorf("the newer generation was overwritten: %v %s", got.State, got.Tokens)
		}
		check(t, s.Grants.UpdateConnection(t.Context(), renewed.Paused(noon), read(t, s, c.ID)))
		if got := read(t, s, c.ID); got.State != connection.StatePaused {
			t.Errorf("state %s", got.State)
		}
		c.ID = store.NewID()
		wantErr(t, s.Grants.UpdateConnection(t.Context(), c, c), store.ErrNotFound)
	})
}

func TestAPersonsChangeUndoesNoOther(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		svc := addService(t, s, "portal")
		c := addGranted(t, s, svc.ID, "sales")
		check(t, s.Grants.UpdateConnection(t.Context(), c.Paused(noon), c))
		// Who has read before the pause knows nothing of it, and the generation has not moved.
		wantErr(t, s.Grants.UpdateConnection(t.Context(), c.WithPolicy(noon, connection.Policy{}), c), store.ErrStale)
		if got := read(t, s, c.ID); got.State != connection.StatePaused {
			t.Errorf("a policy that was decided on before the pause has made the connection %s", got.State)
		}
	})
}

func TestAuthorizingAgainKeepsTheOldTokensAndRevokingForgetsThem(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		svc := addService(t, s, "portal")
		c := addGranted(t, s, svc.ID, "sales")
		again := c.Granted(noon, noon, tokens("plain-access-2", ""), c.Account, nil)
		check(t, s.Grants.UpdateConnection(t.Context(), again, c))
		past, err := s.Grants.History(t.Context(), c.ID)
		check(t, err)
		if len(past) != 1 || past[0].Generation != 1 || past[0].Tokens.RefreshToken != "plain-refresh-1" || !past[0].ReplacedAt.Equal(cut(noon)) {
			t.Fatalf("history %v", past)
		}
		check(t, s.Grants.UpdateConnection(t.Context(), again.Revoked(noon), read(t, s, c.ID)))
		if past, err = s.Grants.History(t.Context(), c.ID); err != nil || len(past) != 0 {
			t.Errorf("a revoked grant left %v, %v", past, err)
		}
		if got := read(t, s, c.ID); got.Tokens.AccessToken != "" || got.Generation != 3 {
			t.Errorf("generation %d, %s", got.Generation, got.Tokens)
		}
	})
}

func TestOldTokenSetsArePruned(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		svc := addService(t, s, "portal")
		c := addGranted(t, s, svc.ID, "sales")
		for i := range 3 {
			at := noon.Add(time.Duration(i) * time.Hour)
			next := c.Renewed(at, at, tokens("a", "r"))
			check(t, s.Renewals.SaveRenewal(t.Context(), next, c.Generation, "", "me"))
			c = next
		}
		check(t, s.Grants.PruneHistory(t.Context(), grantdb.HistoryBounds{Count: 20, Before: noon.Add(time.Hour)}))
		past, err := s.Grants.History(t.Context(), c.ID)
		check(t, err)
		if len(past) != 2 || past[0].Generation != 3 || past[1].Generation != 2 {
			t.Errorf("%v", past)
		}
	})
}

func TestEachWriteMovesTheVersionOn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		svc := addService(t, s, "portal")
		c := addGranted(t, s, svc.ID, "sales")
		last := read(t, s, c.ID).UpdatedAt
		for name, write := range map[string]func() error{
			"update":  func() error { return s.Grants.UpdateConnection(t.Context(), c, read(t, s, c.ID)) },
			"failure": func() error { return s.Renewals.SaveFailure(t.Context(), c, 1, "", "me") },
			"rename":  func() error { return s.Grants.RenameConnection(t.Context(), c.ID, "another title") },
		} {
			check(t, write())
			now := read(t, s, c.ID).UpdatedAt
			if !now.After(last) {
				t.Errorf("%s left the version at %s", name, now)
			}
			last = now
		}
		check(t, s.Grants.TouchPulled(t.Context(), c.ID, noon.Add(time.Hour)))
		check(t, s.Grants.TouchPulled(t.Context(), c.ID, noon))
		got := read(t, s, c.ID)
		if !got.UpdatedAt.Equal(last) || !got.LastPulledAt.Equal(cut(noon.Add(time.Hour))) {
			t.Errorf("pulled %s, version %s", got.LastPulledAt, got.UpdatedAt)
		}
	})
}

func TestDeletedConnectionTakesItsRowsAlong(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		svc := addService(t, s, "portal")
		c := addGranted(t, s, svc.ID, "sales")
		wantErr(t, s.Services.DeleteService(t.Context(), svc.ID), store.ErrInUse)
		begin(t, s, intentFor(c, storetest.Enter(t, s, "me")))
		check(t, s.Grants.UpdateConnection(t.Context(), c.Granted(noon, noon, tokens("b", ""), c.Account, nil), c))
		removeForGood(t, s, c.ID)
		wantErr(t, s.Grants.DeleteTrashed(t.Context(), c.ID), store.ErrNotFound)
		if _, err := s.Grants.Connection(t.Context(), c.ID); err == nil {
			t.Error("it is still there")
		}
		if _, err := s.Renewals.OpenIntent(t.Context(), c.ID); err == nil {
			t.Error("its intent is still there")
		}
		if past, err := s.Grants.History(t.Context(), c.ID); err != nil || len(past) != 0 {
			t.Errorf("history %v, %v", past, err)
		}
		check(t, s.Services.DeleteService(t.Context(), svc.ID))
	})
}

func TestAnyActiveLooksAtAllThatAreNamed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		svc := addService(t, s, "portal")
		var ids []string
		for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
			c := addGranted(t, s, svc.ID, name)
			check(t, s.Grants.UpdateConnection(t.Context(), c.Paused(noon), c))
			ids = append(ids, c.ID)
		}
		ids = append(ids, store.NewID()) // one that was deleted
		if active, err := s.Grants.AnyActive(t.Context(), ids); active || err != nil {
			t.Errorf("of paused and deleted ones %t is in force, %v", active, err)
		}
		ids = append(ids, addGranted(t, s, svc.ID, "g").ID)
		if active, err := s.Grants.AnyActive(t.Context(), ids); !active || err != nil {
			t.Errorf("the last one is in force, but that is %t, %v", active, err)
		}
	})
}

// Reported scopes are kept beside what a renewal writes, and no change that was decided on
// the row before is written over them.
func TestReportedScopesAreKept(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		svc := addService(t, s, "portal")
		was := addGranted(t, s, svc.ID, "sales")
		was = read(t, s, was.ID)
		needy, _, err := was.NeedScopes(noon, []string{"user", "tasks"})
		check(t, err)
		check(t, s.Grants.SaveScopeNeeds(t.Context(), needy, was))
		wantErr(t, s.Grants.SaveScopeNeeds(t.Context(), needy, was), store.ErrStale)
		wantErr(t, s.Grants.UpdateConnection(t.Context(), was.Paused(noon), was), store.ErrStale)
		check(t, s.Renewals.SaveRenewal(t.Context(), was.Renewed(noon, noon, tokens("plain-access-2", "plain-refresh-2")), was.Generation, "", ""))
		got := read(t, s, was.ID)
		if lacked := got.LackedScopes(); len(lacked) != 2 || lacked[0] != "user" || !got.ScopeNeeds[0].At.Equal(cut(noon)) || got.Generation != was.Generation+1 {
			t.Errorf("it lacks %q: %+v", lacked, got.ScopeNeeds)
		}
		check(t, s.Grants.SaveScopeNeeds(t.Context(), got.DeclineScopes(), got))
		if got := read(t, s, was.ID); len(got.LackedScopes()) > 0 || len(got.ScopeNeeds) != 2 {
			t.Errorf("after it was declined: %+v", got.ScopeNeeds)
		}
		missing := was
		missing.ID = store.NewID()
		wantErr(t, s.Grants.SaveScopeNeeds(t.Context(), missing, missing), store.ErrNotFound)
	})
}
