package store_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/sdk/provider"
)

// listRows is how many connections the plans are made for; more by the variable, for
// the figures of docs/benchmarks.md.
func listRows(t *testing.T) int {
	t.Helper()
	text := os.Getenv("EVERGRANT_TEST_LIST_ROWS")
	if text == "" {
		return 3_000
	}
	n, err := strconv.Atoi(text)
	check(t, err)
	return n
}

// A page of a list walks an index in the order of the list, wherever it begins: no
// database sorts all connections to show a hundred of them.
func TestListsWalkAnIndex(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		now := time.Now()
		svc := addService(t, s, "shop")
		rows := listRows(t)
		var all []connection.Connection
		for n := range rows {
			all = append(all, connection.Connection{
				ID: store.NewID(), Name: fmt.Sprintf("many-%06d", n), Title: fmt.Sprintf("Branch %d", n), ServiceID: svc.ID, State: connection.StateActive,
				Generation: 1, CreatedAt: now, UpdatedAt: now.Add(time.Duration(n) * time.Second), Due: now.Add(time.Hour),
				Policy: connection.Policy{AutoRenew: provider.AutoRenewRefreshToken},
				Tokens: connection.TokenSet{AccessToken: "a", RefreshToken: "r", ObtainedAt: now, ExpiresAt: now.Add(time.Hour + time.Duration(n)*time.Second)},
			})
		}
		for len(all) > 0 {
			part := min(len(all), 5_000)
			check(t, s.Grants.CreateConnections(t.Context(), all[:part]))
			all = all[part:]
		}
		for n := 0; n < rows; n += 1_000 {
			c, err := s.Grants.ConnectionByName(t.Context(), fmt.Sprintf("many-%06d", n))
			check(t, err)
			check(t, s.Grants.AddTag(t.Context(), c.ID, "moscow"))
		}
		store.Exec(t, s, "ANALYZE")
		deep := fmt.Sprintf("many-%06d", rows*9/10)
		for _, list := range []struct {
			name string
			f    grantdb.Filter
			walk bool
		}{
			{"first", grantdb.Filter{}, true}, {"deep", grantdb.Filter{AfterName: deep}, true},
			{"search", grantdb.Filter{Query: "many-000777"}, false}, {"status", grantdb.Filter{Status: connection.StatusNeedsOperator}, false},
			{"tag", grantdb.Filter{Tag: "moscow"}, false},
			{"expires", grantdb.Filter{Sort: grantdb.SortExpires}, false}, {"changed", grantdb.Filter{Sort: grantdb.SortChanged}, false},
		} {
			list.f.Limit = 100
			plan := store.Plans(t, s, func(ctx context.Context) {
				_, err := s.Grants.Connections(ctx, list.f)
				check(t, err)
			})[0]
			t.Logf("%s\n%s", list.name, plan)
			if list.walk && (strings.Contains(plan, "TEMP B-TREE") || strings.Contains(plan, "Sort") || !strings.Contains(strings.ToLower(plan), "index")) {
				t.Errorf("%s sorts or reads everything:\n%s", list.name, plan)
			}
		}
		t.Logf("counts\n%s", store.Plans(t, s, func(ctx context.Context) {
			_, err := s.Grants.CountByStatus(ctx, now)
			check(t, err)
		})[0])
	})
}
