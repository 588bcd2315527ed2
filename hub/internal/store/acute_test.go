package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/hub/internal/store/statsdb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

// What needs a person is counted by service and need, and a filter finds as many.
func TestWhatNeedsAPersonIsGrouped(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, now := t.Context(), time.Now()
		svc := addService(t, s, "shop")
		for n := range 3 {
			check(t, s.Grants.CreateConnection(ctx, connection.New(now, store.NewID(), fmt.Sprintf("new-%d", n), "New", svc.ID, renewing)))
		}
		addGranted(t, s, svc.ID, "well")
		groups, err := s.Stats.AcuteGroups(ctx, now)
		check(t, err)
		if len(groups) != 1 || groups[0] != (statsdb.AcuteGroup{ServiceID: svc.ID, Status: connection.StatusNeedsAuthorization, Never: true, Count: 3}) {
			t.Errorf("grouped as %+v", groups)
		}
		f := grantdb.Filter{ServiceID: svc.ID, Granted: "never"}
		counts, err := s.Grants.CountByStatusOf(ctx, f, now)
		check(t, err)
		if counts[connection.StatusNeedsAuthorization] != 3 || len(counts) != 1 {
			t.Errorf("the filter counts %v", counts)
		}
	})
}
