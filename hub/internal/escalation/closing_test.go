package escalation_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/escalation"
	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

func TestAcknowledgingLeavesOutTheNextSteps(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		staff(t, s)
		svc := addService(t, s, "shop")
		ok(t, s.Notices.SavePolicy(t.Context(), policy.Policy{ID: "p", Title: "Ladder", Enabled: true, Events: []policy.Event{policy.GrantEnded}, Steps: []policy.Step{
			{To: "anna", Channel: "tg"}, {After: 10 * time.Minute, To: "anna", Channel: "sms"},
		}}, time.Now()))
		now := time.Now()
		e := noticedb.Escalation{ID: store.NewID(), Event: policy.GrantEnded, ServiceID: svc.ID, Affected: 1, OpenedAt: now}
		ok(t, planner(s).Open(t.Context(), e))
		claimed, err := s.Notices.ClaimDeliveries(t.Context(), "me", now.Add(time.Second), now.Add(time.Minute), 10)
		ok(t, err)
		if len(claimed) != 1 || claimed[0].Channel != "tg" {
			t.Fatalf("%v is sent at once", claimed)
		}
		ok(t, s.Notices.WriteDelivery(t.Context(), claimed[0].ID, []byte("text"), "hash"))
		ok(t, s.Notices.SentDelivery(t.Context(), claimed[0].ID, "", now))
		found, by, err := s.Notices.EscalationByAck(t.Context(), "hash")
		ok(t, err)
		if found.ID != e.ID || by != "anna" {
			t.Errorf("%s %s", found.ID, by)
		}
		ok(t, planner(s).Acknowledge(t.Context(), e.ID, "Anna", now))
		same(t, "after that", deliveriesOf(t, s), "problem anna/tg sent", "problem anna/sms dropped")
		ok(t, planner(s).Close(t.Context(), e.ID, now))
		same(t, "when it is over", deliveriesOf(t, s), "problem anna/tg sent", "problem anna/sms dropped", "recovered anna/tg waiting")
		ok(t, planner(s).Close(t.Context(), e.ID, now))
	})
}

// A message that fails while its trouble ends, or is taken care of, is not tried again:
// nobody is told of what is over. Whoever may have been told is told of the end.
func TestAMessageThatFailsTooLateIsNotTriedAgain(t *testing.T) {
	closed := func(s *store.Store, ctx context.Context, id string, now time.Time) error {
		return planner(s).Close(ctx, id, now)
	}
	tests := []struct {
		name  string
		meant func(s *store.Store, ctx context.Context, id string, now time.Time) error
		how   escalation.NotTaken
		want  []string
	}{
		{"over", closed, escalation.NotTaken{Reason: "unreachable"}, []string{"problem anna/tg dropped", "recovered anna/tg dropped"}},
		{"over, and it may have arrived", closed, escalation.NotTaken{Reason: "unreachable", Unknown: true}, []string{"problem anna/tg dropped", "recovered anna/tg waiting"}},
		{"acknowledged", func(s *store.Store, ctx context.Context, id string, now time.Time) error {
			return planner(s).Acknowledge(ctx, id, "Anna", now)
		},
			escalation.NotTaken{Reason: "unreachable"}, []string{"problem anna/tg dropped"}},
		{"still there", func(*store.Store, context.Context, string, time.Time) error { return nil }, escalation.NotTaken{Reason: "unreachable"}, []string{"problem anna/tg waiting"}},
	}
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		staff(t, s)
		now := time.Now()
		ok(t, s.Notices.SavePolicy(t.Context(), policy.Policy{ID: "p", Title: "One", Enabled: true, Events: []policy.Event{policy.GrantEnded}, Steps: []policy.Step{{To: "anna", Channel: "tg"}}}, now))
		for _, test := range tests {
			id := store.NewID()
			ok(t, planner(s).Open(t.Context(), noticedb.Escalation{ID: id, Event: policy.GrantEnded, OpenedAt: now}))
			claimed, err := s.Notices.ClaimDeliveries(t.Context(), "me", now.Add(time.Second), now.Add(time.Hour), 10)
			ok(t, err)
			if len(claimed) != 1 || claimed[0].EscalationID != id {
				t.Fatalf("%s: %v was claimed", test.name, claimed)
			}
			ok(t, s.Notices.BeginSend(t.Context(), claimed[0].ID, "me", now.Add(time.Hour)))
			claimed[0].Begun++
			ok(t, test.meant(s, t.Context(), id, now.Add(2*time.Second)))
			test.how.Again = now.Add(2 * time.Hour)
			ok(t, planner(s).Failed(t.Context(), claimed[0], test.how, now.Add(3*time.Second)))
			all, err := s.Notices.Deliveries(t.Context(), id)
			ok(t, err)
			var got []string
			for _, d := range all {
				got = append(got, fmt.Sprintf("%s %s/%s %s", d.Kind, d.Contact, d.Channel, d.State))
			}
			same(t, test.name, got, test.want...)
			// What the next one must not meet:
			for _, d := range all {
				if d.State == noticedb.DeliveryWaiting {
					ok(t, s.Notices.SentDelivery(t.Context(), d.ID, "", now))
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
		ok(t, s.Notices.SavePolicy(t.Context(), policy.Policy{ID: "p", Title: "Two", Enabled: true, Events: []policy.Event{policy.GrantEnded}, Steps: []policy.Step{
			{To: "anna", Channel: "tg"}, {To: "anna", Channel: "sms"},
		}}, now))
		id := store.NewID()
		ok(t, planner(s).Open(t.Context(), noticedb.Escalation{ID: id, Event: policy.GrantEnded, OpenedAt: now}))
		claimed, err := s.Notices.ClaimDeliveries(t.Context(), "me", now.Add(time.Second), now.Add(time.Hour), 10)
		ok(t, err)
		for _, d := range claimed {
			ok(t, s.Notices.BeginSend(t.Context(), d.ID, "me", now.Add(time.Hour)))
			d.Begun++
			ok(t, planner(s).Failed(t.Context(), d, escalation.NotTaken{Reason: "unreachable", Unknown: d.Channel == "tg", Again: now.Add(time.Minute)}, now))
		}
		ok(t, planner(s).Close(t.Context(), id, now.Add(time.Second)))
		same(t, "the end", deliveriesOf(t, s), "problem anna/tg dropped", "problem anna/sms dropped", "recovered anna/tg waiting")
	})
}
