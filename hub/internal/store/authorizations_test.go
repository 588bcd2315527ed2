package store_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/authdb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

func newAuthorization(serviceID, stateHash string) authdb.Authorization {
	return authdb.Authorization{
		ID: store.NewID(), StateHash: stateHash, ServiceID: serviceID, BrowserHash: "browser", UserID: "anna",
		Verifier: "plain-verifier", Nonce: "plain-nonce", Data: []byte("plain-data"), RedirectURI: "https://hub/callback/portal",
		ReturnTo: "/connections", Lang: "ru", CreatedAt: noon, ExpiresAt: noon.Add(15 * time.Minute),
	}
}

func TestOneOfManyCallbacksTakesTheAuthorization(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		svc := addService(t, s, "portal")
		for round := range 5 {
			want := newAuthorization(svc.ID, fmt.Sprint("state-", round))
			check(t, s.Authorizations.CreateAuthorization(t.Context(), want))
			want.CreatedAt, want.ExpiresAt = cut(want.CreatedAt), cut(want.ExpiresAt)
			var wins atomic.Int32
			var takers sync.WaitGroup
			for range 20 {
				takers.Go(func() {
					got, err := s.Authorizations.TakeAuthorization(t.Context(), want.StateHash, noon.Add(time.Minute))
					switch {
					case errors.Is(err, store.ErrNotFound):
					case err != nil:
						t.Error(err)
					default:
						wins.Add(1)
						if !reflect.DeepEqual(*got, want) {
							t.Errorf("came back changed: %#v", got)
						}
					}
				})
			}
			takers.Wait()
			if wins.Load() != 1 {
				t.Fatalf("%d callbacks took one authorization", wins.Load())
			}
		}
	})
}

func TestExpiredAuthorizationIsOfNoUse(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		svc := addService(t, s, "portal")
		a := newAuthorization(svc.ID, "one")
		check(t, s.Authorizations.CreateAuthorization(t.Context(), a))
		_, err := s.Authorizations.TakeAuthorizationByBrowser(t.Context(), svc.ID, []string{"browser"}, a.ExpiresAt)
		wantErr(t, err, store.ErrNotFound)
		_, err = s.Authorizations.TakeAuthorization(t.Context(), "one", a.ExpiresAt)
		wantErr(t, err, store.ErrExpired)
		wantErr(t, err, store.ErrNotFound)

		old, fresh := newAuthorization(svc.ID, "old"), newAuthorization(svc.ID, "fresh")
		fresh.ExpiresAt = fresh.ExpiresAt.Add(time.Hour)
		check(t, s.Authorizations.CreateAuthorization(t.Context(), old))
		check(t, s.Authorizations.CreateAuthorization(t.Context(), fresh))
		if n, err := s.Authorizations.DeleteExpiredAuthorizations(t.Context(), old.ExpiresAt); n != 1 || err != nil {
			t.Errorf("%d removed, %v", n, err)
		}
		_, err = s.Authorizations.TakeAuthorization(t.Context(), "fresh", old.ExpiresAt)
		check(t, err)
	})
}

func TestBrowserTakesItsNewestAuthorization(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		svc, other := addService(t, s, "portal"), addService(t, s, "other")
		for i, name := range []string{"first", "second", "third"} {
			a := newAuthorization(svc.ID, name)
			a.CreatedAt = noon.Add(time.Duration(i) * time.Second)
			check(t, s.Authorizations.CreateAuthorization(t.Context(), a))
		}
		for _, foreign := range [][2]string{{other.ID, "browser"}, {svc.ID, "another browser"}} {
			_, err := s.Authorizations.TakeAuthorizationByBrowser(t.Context(), foreign[0], []string{foreign[1]}, noon)
			wantErr(t, err, store.ErrNotFound)
		}
		for _, want := range []string{"third", "second", "first"} {
			got, err := s.Authorizations.TakeAuthorizationByBrowser(t.Context(), svc.ID, []string{"browser"}, noon)
			check(t, err)
			if got.StateHash != want || got.Verifier != "plain-verifier" {
				t.Errorf("took %s, want %s", got.StateHash, want)
			}
		}
	})
}

func TestPendingAuthorizationStaysUntilItIsTaken(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		svc := addService(t, s, "portal")
		c := addGranted(t, s, svc.ID, "sales")
		a := newAuthorization(svc.ID, "state")
		a.ConnectionID = c.ID
		check(t, s.Authorizations.CreateAuthorization(t.Context(), a))
		for range 2 {
			got, err := s.Authorizations.PendingAuthorization(t.Context(), c.ID, "anna")
			check(t, err)
			if got.StateHash != "state" || got.ConnectionID != c.ID {
				t.Errorf("%#v", got)
			}
		}
		_, err := s.Authorizations.PendingAuthorization(t.Context(), c.ID, "boris")
		wantErr(t, err, store.ErrNotFound)
		removeForGood(t, s, c.ID)
		_, err = s.Authorizations.TakeAuthorization(t.Context(), "state", noon)
		wantErr(t, err, store.ErrNotFound)
		wantErr(t, s.Authorizations.CreateAuthorization(t.Context(), a), store.ErrNotFound)
	})
}

func TestAuthorizationPrintsNoSecret(t *testing.T) {
	a := newAuthorization("s", "state")
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if text := fmt.Sprintf(verb, a); strings.Contains(text, "plain-") {
			t.Errorf("%s printed %s", verb, text)
		}
	}
}
