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

func TestADeliveryThatIsGivenUpExpeditesTheNext(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		staff(t, s)
		now := time.Now()
		check(t, s.Notices.SavePolicy(t.Context(), policy.Policy{ID: "p", Title: "Ladder", Enabled: true, Events: []policy.Event{policy.GrantEnded}, Steps: []policy.Step{
			{To: "anna", Channel: "tg"}, {After: time.Hour, To: "anna", Channel: "sms"},
		}}, now))
		check(t, s.Notices.OpenEscalation(t.Context(), noticedb.Escalation{ID: store.NewID(), Event: policy.GrantEnded, OpenedAt: now}))
		claim := func(at time.Time) []noticedb.Delivery {
			claimed, err := s.Notices.ClaimDeliveries(t.Context(), "me", at, at.Add(time.Minute), 10)
			check(t, err)
			return claimed
		}
		first := claim(now.Add(time.Second))
		check(t, s.Notices.BeginSend(t.Context(), first[0].ID, "me", now.Add(time.Minute)))
		check(t, s.Notices.FailedDelivery(t.Context(), first[0], noticedb.NotTaken{Reason: "blocked", Said: "bot was blocked"}, now.Add(time.Second)))
		next := claim(now.Add(2 * time.Second))
		if len(next) != 1 || next[0].Channel != "sms" {
			t.Fatalf("%v", next)
		}
		dead, err := s.Notices.DeadDeliveries(t.Context(), 10)
		check(t, err)
		if len(dead) != 1 || dead[0].Said != "bot was blocked" {
			t.Errorf("%+v", dead)
		}
		check(t, s.Notices.ResendDelivery(t.Context(), dead[0].ID, now.Add(time.Minute)))
		if err := s.Notices.ResendDelivery(t.Context(), next[0].ID, now); err == nil {
			t.Error("one that is being sent was put back")
		}
	})
}

func TestADeliveryIsTakenByOneReplica(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		staff(t, s)
		now := time.Now()
		for range 50 {
			check(t, s.Notices.OpenEscalation(t.Context(), noticedb.Escalation{ID: store.NewID(), Event: policy.GrantEnded, OpenedAt: now}))
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

// A message that fails while its trouble ends, or is taken care of, is not tried again:
// nobody is told of what is over. Whoever may have been told is told of the end.
func TestAMessageThatFailsTooLateIsNotTriedAgain(t *testing.T) {
	closed := func(s *store.Store, ctx context.Context, id string, now time.Time) error {
		return s.Notices.CloseEscalation(ctx, id, now)
	}
	tests := []struct {
		name  string
		meant func(s *store.Store, ctx context.Context, id string, now time.Time) error
		how   noticedb.NotTaken
		want  []string
	}{
		{"over", closed, noticedb.NotTaken{Reason: "unreachable"}, []string{"problem anna/tg dropped", "recovered anna/tg dropped"}},
		{"over, and it may have arrived", closed, noticedb.NotTaken{Reason: "unreachable", Unknown: true}, []string{"problem anna/tg dropped", "recovered anna/tg waiting"}},
		{"acknowledged", func(s *store.Store, ctx context.Context, id string, now time.Time) error {
			return s.Notices.Acknowledge(ctx, id, "Anna", now)
		},
			noticedb.NotTaken{Reason: "unreachable"}, []string{"problem anna/tg dropped"}},
		{"still there", func(*store.Store, context.Context, string, time.Time) error { return nil }, noticedb.NotTaken{Reason: "unreachable"}, []string{"problem anna/tg waiting"}},
	}
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		staff(t, s)
		now := time.Now()
		check(t, s.Notices.SavePolicy(t.Context(), policy.Policy{ID: "p", Title: "One", Enabled: true, Events: []policy.Event{policy.GrantEnded}, Steps: []policy.Step{{To: "anna", Channel: "tg"}}}, now))
		for _, test := range tests {
			id := store.NewID()
			check(t, s.Notices.OpenEscalation(t.Context(), noticedb.Escalation{ID: id, Event: policy.GrantEnded, OpenedAt: now}))
			claimed, err := s.Notices.ClaimDeliveries(t.Context(), "me", now.Add(time.Second), now.Add(time.Hour), 10)
			check(t, err)
			if len(claimed) != 1 || claimed[0].EscalationID != id {
				t.Fatalf("%s: %v was claimed", test.name, claimed)
			}
			check(t, s.Notices.BeginSend(t.Context(), claimed[0].ID, "me", now.Add(time.Hour)))
			claimed[0].Begun++
			check(t, test.meant(s, t.Context(), id, now.Add(2*time.Second)))
			test.how.Again = now.Add(2 * time.Hour)
			check(t, s.Notices.FailedDelivery(t.Context(), claimed[0], test.how, now.Add(3*time.Second)))
			all, err := s.Notices.Deliveries(t.Context(), id)
			check(t, err)
			var got []string
			for _, d := range all {
				got = append(got, fmt.Sprintf("%s %s/%s %s", d.Kind, d.Contact, d.Channel, d.State))
			}
			same(t, test.name, got, test.want...)
			// What the next one must not meet:
			for _, d := range all {
				if d.State == noticedb.DeliveryWaiting {
					check(t, s.Notices.SentDelivery(t.Context(), d.ID, "", now))
				}
			}
		}
	})
}

// Who may have been told of a trouble is told of its end, although nobody knows whether
// the message came.
func TestWhoMayHaveBeenToldIsToldOfTheEnd(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		staff(t, s)
		now := time.Now()
		check(t, s.Notices.SavePolicy(t.Context(), policy.Policy{ID: "p", Title: "Two", Enabled: true, Events: []policy.Event{policy.GrantEnded}, Steps: []policy.Step{
			{To: "anna", Channel: "tg"}, {To: "anna", Channel: "sms"},
		}}, now))
		id := store.NewID()
		check(t, s.Notices.OpenEscalation(t.Context(), noticedb.Escalation{ID: id, Event: policy.GrantEnded, OpenedAt: now}))
		claimed, err := s.Notices.ClaimDeliveries(t.Context(), "me", now.Add(time.Second), now.Add(time.Hour), 10)
		check(t, err)
		for _, d := range claimed {
			check(t, s.Notices.BeginSend(t.Context(), d.ID, "me", now.Add(time.Hour)))
			d.Begun++
			check(t, s.Notices.FailedDelivery(t.Context(), d, noticedb.NotTaken{Reason: "unreachable", Unknown: d.Channel == "tg", Again: now.Add(time.Minute)}, now))
		}
		check(t, s.Notices.CloseEscalation(t.Context(), id, now.Add(time.Second)))
		same(t, "the end", deliveriesOf(t, s), "problem anna/tg dropped", "problem anna/sms dropped", "recovered anna/tg waiting")
	})
}

// A replica that comes too late with what it knows of a message changes nothing.
func TestAMessageThatAnotherReplicaHasSentStaysSent(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		staff(t, s)
		now := time.Now()
		id := store.NewID()
		check(t, s.Notices.OpenEscalation(t.Context(), noticedb.Escalation{ID: id, Event: policy.GrantEnded, OpenedAt: now}))
		claim := func(replica string, at time.Time) noticedb.Delivery {
			claimed, err := s.Notices.ClaimDeliveries(t.Context(), replica, at, at.Add(time.Minute), 10)
			check(t, err)
			if len(claimed) != 1 {
				t.Fatalf("%s gets %v", replica, claimed)
			}
			check(t, s.Notices.BeginSend(t.Context(), claimed[0].ID, replica, at.Add(time.Minute)))
			return claimed[0]
		}
		frozen := claim("frozen", now.Add(time.Second))
		other := claim("other", now.Add(time.Hour))
		late := func(when string) {
			check(t, s.Notices.FailedDelivery(t.Context(), frozen, noticedb.NotTaken{Reason: "unreachable", Again: now.Add(time.Minute)}, now.Add(time.Hour)))
			check(t, s.Notices.FailedDelivery(t.Context(), frozen, noticedb.NotTaken{Reason: "blocked"}, now.Add(time.Hour)))
			if d, err := s.Notices.Delivery(t.Context(), other.ID); err != nil || d.Reason != "" {
				t.Errorf("%s: %v %v: %s", when, err, d, d.Reason)
			}
		}
		late("while the other sends")
		check(t, s.Notices.SentDelivery(t.Context(), other.ID, "", now.Add(time.Hour)))
		late("when the other has sent")
		same(t, "in the end", deliveriesOf(t, s), "problem desk/tg sent")
	})
}
