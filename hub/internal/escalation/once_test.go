package escalation_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

// ending has grants of two services that end in two days and in two weeks.
func ending(t *testing.T, s *store.Store, now time.Time) {
	t.Helper()
	staff(t, s)
	for _, name := range []string{"shop", "bank"} {
		svc := addService(t, s, name)
		for _, days := range []int{2, 2, 13} {
			addEnding(t, s, svc.ID, now, time.Duration(days)*24*time.Hour)
		}
	}
}

// tally counts the escalations and messages of a store.
func tally(t *testing.T, s *store.Store) string {
	t.Helper()
	list, err := s.Notices.Escalations(t.Context(), noticedb.EscalationFilter{})
	ok(t, err)
	grants := 0
	for _, e := range list {
		grants += e.Affected
	}
	return fmt.Sprintf("%d escalations of %d grants, %d messages", len(list), grants, len(deliveriesOf(t, s)))
}

// Replicas that plan at once notify of each grant once.
func TestReplicasAtOnceNotifyOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		now := time.Now()
		ending(t, s, now)
		storetest.AtOnce(t, 6, func() error {
			_, _, err := planner(s).TellOfEnds(context.Background(), now)
			return err
		})
		if got := tally(t, s); got != "4 escalations of 6 grants, 4 messages" {
			t.Error(got)
		}
	})
}

// A hub that dies between any two statements has marked no grant as notified without its
// message.
func TestADeathLosesNoNotification(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		now := time.Now()
		ending(t, s, now)
		nothing, all := "0 escalations of 0 grants, 0 messages", "4 escalations of 6 grants, 4 messages"
		storetest.DieAnywhere(t, s, func(ctx context.Context) error {
			_, _, err := planner(s).TellOfEnds(ctx, now)
			return err
		}, func() {
			if got := tally(t, s); got != nothing && got != all {
				t.Fatal(got)
			}
		})
		if got := tally(t, s); got != all {
			t.Error(got)
		}
	})
}

// An end and an acknowledgement at once, by several replicas, plan one message of the end.
func TestAnEndIsPlannedOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		now := time.Now()
		staff(t, s)
		id := store.NewID()
		ok(t, planner(s).Open(t.Context(), noticedb.Escalation{ID: id, Event: policy.GrantEnded, OpenedAt: now}))
		claimed, err := s.Notices.ClaimDeliveries(t.Context(), "me", now.Add(time.Second), now.Add(time.Hour), 10)
		ok(t, err)
		ok(t, s.Notices.SentDelivery(t.Context(), claimed[0].ID, "", now))
		storetest.AtOnce(t, 4, func() error {
			if err := planner(s).Acknowledge(context.Background(), id, "Anna", now); err != nil {
				return err
			}
			return planner(s).Close(context.Background(), id, now)
		})
		same(t, "in the end", deliveriesOf(t, s), "problem desk/tg sent", "recovered desk/tg waiting")
	})
}
