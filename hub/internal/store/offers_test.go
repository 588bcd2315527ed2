package store_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/authdb"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/sdk/provider"
)

func TestAnAuthorizationThatIsKeptAsideComesBackOnceAndInTime(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		c := addGranted(t, s, addService(t, s, "portal").ID, "sales")
		o := authdb.Offer{
			ConnectionID: c.ID, Generation: 1, Reason: "would_lose_renewal", Part: provider.Text{EN: "user"}, Asked: cut(noon), Account: provider.Account{ID: "7", Name: "ann"}, Scopes: []string{"crm"},
			Token: provider.Token{AccessToken: "secret-access", ExpiresIn: new(time.Hour), Extra: map[string]any{"portal": "x"}, Parts: []provider.PartToken{{
				Part: "user", Token: provider.Token{AccessToken: "secret-access-of-a-part", RefreshToken: "r", Scopes: []string{"chat"}}, Account: provider.Account{ID: "8"},
			}}},
			CreatedAt: cut(noon), ExpiresAt: cut(noon).Add(15 * time.Minute),
		}
		if strings.Contains(fmt.Sprintf("%v %#v", o, o), "secret-access") {
			t.Error("an offer prints its token")
		}
		check(t, s.Authorizations.PutOffer(t.Context(), o))
		o.Reason = "account_unproven"
		check(t, s.Authorizations.PutOffer(t.Context(), o)) // a later one takes its place
		got, err := s.Authorizations.Offer(t.Context(), c.ID, noon)
		check(t, err)
		if !reflect.DeepEqual(*got, o) {
			t.Errorf("came back %+v", got.Reason)
		}
		if _, err := s.Authorizations.Offer(t.Context(), c.ID, o.ExpiresAt); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("when its time is over: %v", err)
		}
		_, err = s.Authorizations.TakeOffer(t.Context(), c.ID, noon)
		check(t, err)
		if _, err := s.Authorizations.TakeOffer(t.Context(), c.ID, noon); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a second time: %v", err)
		}
		check(t, s.Authorizations.PutOffer(t.Context(), o))
		_, err = s.Authorizations.DeleteExpiredAuthorizations(t.Context(), o.ExpiresAt)
		check(t, err)
		if _, err := s.Authorizations.TakeOffer(t.Context(), c.ID, noon); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("after the clean-up: %v", err)
		}
	})
}

func TestWhatHasStillToBeRevokedIsFoundWhenItIsDue(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		svc := addService(t, s, "portal")
		r := grantdb.Revocation{
			ID: store.NewID(), ServiceID: svc.ID, Connection: "gone", Tries: 1, Due: cut(noon), Until: cut(noon).Add(24 * time.Hour),
			Tokens: connection.TokenSet{AccessToken: "a", RefreshToken: "r", ObtainedAt: cut(noon)},
			About:  provider.Connection{Name: "gone", Options: map[string]any{"agreement": "77"}},
		}
		check(t, s.Grants.PutRevocation(t.Context(), r))
		r.Tries, r.Due = 2, r.Due.Add(time.Minute)
		check(t, s.Grants.PutRevocation(t.Context(), r))
		early, err := s.Grants.DueRevocations(t.Context(), noon, 10)
		check(t, err)
		due, err := s.Grants.DueRevocations(t.Context(), r.Due, 10)
		check(t, err)
		if len(early) != 0 || len(due) != 1 || !reflect.DeepEqual(due[0], r) {
			t.Errorf("%d before its time, then %d", len(early), len(due))
		}
		check(t, s.Grants.DeleteRevocation(t.Context(), r.ID))
		if due, _ = s.Grants.DueRevocations(t.Context(), r.Due, 10); len(due) != 0 {
			t.Error("it is still there")
		}
	})
}

func TestHowTheOthersOfAServiceStand(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		svc, other := addService(t, s, "portal"), addService(t, s, "other")
		mine := addGranted(t, s, svc.ID, "mine")
		addGranted(t, s, svc.ID, "well")
		addGranted(t, s, other.ID, "elsewhere")
		fails := addGranted(t, s, svc.ID, "fails")
		failed := fails.Failed(noon, 1, provider.Errorf(provider.Internal, "flux", "x"))
		check(t, s.Renewals.SaveFailure(t.Context(), failed, 1, "", "")) // lists read the phase that this writes
		got, err := s.Stats.Elsewhere(t.Context(), svc.ID, mine.ID, noon.Add(-time.Hour))
		check(t, err)
		if want := (connection.Elsewhere{Others: 2, Renewed: 2, Failing: 1}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		listed, err := s.Grants.Connections(t.Context(), grantdb.Filter{Status: connection.StatusRetrying})
		check(t, err)
		if len(listed) != 1 || listed[0].Name != "fails" {
			t.Errorf("%d are listed as retrying", len(listed))
		}
	})
}
