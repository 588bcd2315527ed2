package incident_test

import (
	"context"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/incident"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

// troubled has two causes of failures, of connections with and without an owner.
func troubled(t *testing.T, s *store.Store) {
	t.Helper()
	staff(t, s)
	svc := addService(t, s, "shop")
	failing(t, s, svc.ID, 3, connection.Cause{Kind: connection.CauseClient, Of: svc.ID}.String())
	owned := failing(t, s, svc.ID, 2, connection.Cause{Kind: connection.CausePlugin, Of: "p"}.String())
	must(t, s.People.SetOwner(t.Context(), owned[0], "anna"))
}

// counted are the incidents, escalations, events and messages of a store.
func counted(t *testing.T, s *store.Store) [4]int {
	t.Helper()
	var incidents int
	for _, closed := range []bool{false, true} {
		list, err := s.Notices.Incidents(t.Context(), closed, 100)
		must(t, err)
		incidents += len(list)
	}
	escalations, err := s.Notices.Escalations(t.Context(), noticedb.EscalationFilter{})
	must(t, err)
	events, err := s.Grants.Events(t.Context(), "", 100)
	must(t, err)
	return [4]int{incidents, len(escalations), len(events), len(deliveriesOf(t, s))}
}

// Replicas that reconcile at once open each incident once, with one escalation, one event
// and one message for each contact, and close it once.
func TestReplicasAtOnceDoubleNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		troubled(t, s)
		now := time.Now()
		reconcileAtOnce := func(at time.Time, want [4]int) {
			t.Helper()
			storetest.AtOnce(t, 6, func() error {
				_, _, err := incident.Reconcile(context.Background(), s, at)
				return err
			})
			if got := counted(t, s); got != want {
				t.Errorf("%v incidents, escalations, events and messages, want %v", got, want)
			}
		}
		reconcileAtOnce(now, [4]int{2, 2, 2, 2})
		claim(t, s, now)
		mend(t, s)
		reconcileAtOnce(now.Add(time.Minute), [4]int{2, 2, 4, 4})
	})
}

// A hub that dies between any two statements leaves nothing, or everything: no incident is
// without its messages, and the next look adds none twice.
func TestADeathLeavesNothingHalf(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		troubled(t, s)
		now := time.Now()
		die := func(at time.Time, before, after [4]int) {
			t.Helper()
			storetest.DieAnywhere(t, s, func(ctx context.Context) error {
				_, _, err := incident.Reconcile(ctx, s, at)
				return err
			}, func() {
				if got := counted(t, s); got != before && got != after {
					t.Fatalf("%v incidents, escalations, events and messages are left, want %v or %v", got, before, after)
				}
			})
			if got := counted(t, s); got != after {
				t.Errorf("%v incidents, escalations, events and messages, want %v", got, after)
			}
		}
		die(now, [4]int{}, [4]int{2, 2, 2, 2})
		claim(t, s, now)
		mend(t, s)
		die(now.Add(time.Minute), [4]int{2, 2, 2, 2}, [4]int{2, 2, 4, 4})
	})
}

// claim takes all messages as if they were being sent.
func claim(t *testing.T, s *store.Store, now time.Time) {
	t.Helper()
	claimed, err := s.Notices.ClaimDeliveries(t.Context(), "me", now.Add(time.Hour), now.Add(2*time.Hour), 10)
	must(t, err)
	for _, d := range claimed {
		must(t, s.Notices.SentDelivery(t.Context(), d.ID, "", now))
	}
}

// mend ends what connections suffer from.
func mend(t *testing.T, s *store.Store) {
	t.Helper()
	causes, err := s.Grants.Suffering(t.Context())
	must(t, err)
	for _, cause := range causes {
		ids, err := s.Grants.SufferingFrom(t.Context(), cause.Cause, 100)
		must(t, err)
		for _, id := range ids {
			c, err := s.Grants.Connection(t.Context(), id)
			must(t, err)
			c.Failure, c.Cause = nil, ""
			must(t, s.Grants.UpdateConnection(t.Context(), c, c))
		}
	}
}
