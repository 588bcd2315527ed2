package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/sdk/provider"
)

// Of each connection the newest replaced sets are kept, fewer where none could be put
// back, and a clean-up looks only at what has changed since the last one.
func TestTheHistoryOfAConnectionIsBounded(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		svc := addService(t, s, "portal")
		renewed := func(c connection.Connection, times int) connection.Connection {
			t.Helper()
			for range times {
				next := c.Renewed(noon, noon, tokens("a", "r"))
				check(t, s.Renewals.SaveRenewal(t.Context(), next, c.Generation, "", "me"))
				c = read(t, s, c.ID)
			}
			return c
		}
		kept := func(c connection.Connection) string {
			t.Helper()
			past, err := s.Grants.History(t.Context(), c.ID)
			check(t, err)
			var generations []string
			for _, p := range past {
				generations = append(generations, fmt.Sprint(p.Generation))
			}
			return strings.Join(generations, " ")
		}
		prune := func(count int) {
			t.Helper()
			check(t, s.Grants.PruneHistory(t.Context(), grantdb.HistoryBounds{Count: count, Before: noon.Add(-time.Hour)}))
		}
		steady := addGranted(t, s, svc.ID, "steady")
		steady = steady.WithPolicy(noon, connection.Policy{AutoRenew: provider.AutoRenewRefreshToken, Rotation: provider.Rotation{Kind: provider.RotationNone}})
		check(t, s.Grants.UpdateConnection(t.Context(), steady, steady))
		rotating := addGranted(t, s, svc.ID, "rotating")
		rotating = rotating.WithPolicy(noon, connection.Policy{AutoRenew: provider.AutoRenewRefreshToken, Rotation: provider.Rotation{Kind: provider.RotationRotates}})
		check(t, s.Grants.UpdateConnection(t.Context(), rotating, rotating))
		steady, rotating = renewed(read(t, s, steady.ID), 8), renewed(read(t, s, rotating.ID), 8)
		prune(5)
		if got := kept(steady); got != "8 7 6 5 4" {
			t.Errorf("of a connection whose sets can be put back are kept %s", got)
		}
		if got := kept(rotating); got != "8 7 6" {
			t.Errorf("of a connection that rotates are kept %s", got)
		}
		renewed(steady, 1)
		prune(5)
		if got := kept(steady); got != "9 8 7 6 5" {
			t.Errorf("after one more renewal are kept %s", got)
		}
		prune(2)
		if got, other := kept(steady), kept(rotating); got != "9 8" || other != "8 7" {
			t.Errorf("after the bound was lowered are kept %s and %s", got, other)
		}
		prune(0)
		if got := kept(steady); got != "" {
			t.Errorf("with a bound of none are kept %s", got)
		}
	})
}
