package escalation_test

import (
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

func TestEndsOfGrantsAreToldOnceForEachTerm(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		staff(t, s)
		svc := addService(t, s, "shop")
		now := time.Now()
		day := 24 * time.Hour
		end := func(in time.Duration) connection.Connection { return addEnding(t, s, svc.ID, now, in) }
		for range 47 {
			end(13 * day)
		}
		soon := end(2 * day)
		end(40 * day)
		tell := func(at time.Time, begun, ended int) {
			t.Helper()
			b, e, err := planner(s).TellOfEnds(t.Context(), at)
			ok(t, err)
			if b != begun || e != ended {
				t.Errorf("after %v: %d begun, %d ended; want %d and %d", at.Sub(now).Round(time.Hour), b, e, begun, ended)
			}
		}
		tell(now, 2, 0) // 47 at 14 days are one, and the one at 3 days
		tell(now, 0, 0)
		tell(now.Add(25*time.Hour), 1, 1) // it has one day left, which goes on with what was told at three
		tell(now.Add(3*day), 1, 1)        // it has run out
		tell(now.Add(11*day), 1, 1)       // the 47 have three days left
		c, err := s.Grants.Connection(t.Context(), soon.ID)
		ok(t, err)
		c.Tokens.RefreshExpiresAt, c.Tokens.ExpiresAt = now.Add(90*day), now.Add(90*day)
		ok(t, s.Grants.UpdateConnection(t.Context(), c, c))
		tell(now.Add(11*day), 0, 1)
	})
}
