package store_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

func TestADeliveryIsTakenByOneReplica(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		staff(t, s)
		now := time.Now()
		for range 50 {
			e := noticedb.Escalation{ID: store.NewID(), Event: policy.GrantEnded, OpenedAt: now}
			check(t, s.Notices.AddEscalation(t.Context(), e))
			check(t, s.Notices.AddDeliveries(t.Context(), e.ID, noticedb.DeliveryProblem, []policy.Planned{{Contact: "desk", Channel: "tg", At: now}}))
		}
		var mu sync.Mutex
		taken := map[string]int{}
		var replicas sync.WaitGroup
		for n := range 4 {
			replicas.Go(func() {
				for range 20 {
					claimed, err := s.Notices.ClaimDeliveries(context.Background(), fmt.Sprint(n), now.Add(time.Second), now.Add(time.Minute), 3)
					if err != nil {
						t.Error(err)
					}
					mu.Lock()
					for _, d := range claimed {
						taken[d.ID]++
					}
					mu.Unlock()
				}
			})
		}
		replicas.Wait()
		if len(taken) != 50 {
			t.Errorf("%d of 50 were taken", len(taken))
		}
		for id, n := range taken {
			if n != 1 {
				t.Errorf("%s was taken %d times", id, n)
			}
		}
		// One whose replica has died is taken by another one.
		again, err := s.Notices.ClaimDeliveries(t.Context(), "later", now.Add(2*time.Minute), now.Add(3*time.Minute), 100)
		check(t, err)
		if len(again) != 50 {
			t.Errorf("%d were taken over", len(again))
		}
	})
}
