package escalation_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/escalation"
	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

func TestADeliveryThatIsGivenUpExpeditesTheNext(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		staff(t, s)
		now := time.Now()
		ok(t, s.Notices.SavePolicy(t.Context(), policy.Policy{ID: "p", Title: "Ladder", Enabled: true, Events: []policy.Event{policy.GrantEnded}, Steps: []policy.Step{
			{To: "anna", Channel: "tg"}, {After: time.Hour, To: "anna", Channel: "sms"},
		}}, now))
		ok(t, planner(s).Open(t.Context(), noticedb.Escalation{ID: store.NewID(), Event: policy.GrantEnded, OpenedAt: now}))
		claim := func(at time.Time) []noticedb.Delivery {
			claimed, err := s.Notices.ClaimDeliveries(t.Context(), "me", at, at.Add(time.Minute), 10)
			ok(t, err)
			return claimed
		}
		first := claim(now.Add(time.Second))
		ok(t, s.Notices.BeginSend(t.Context(), first[0].ID, "me", now.Add(time.Minute)))
		ok(t, planner(s).Failed(t.Context(), first[0], escalation.NotTaken{Reason: "blocked", Said: "bot was blocked"}, now.Add(time.Second)))
		next := claim(now.Add(2 * time.Second))
		if len(next) != 1 || next[0].Channel != "sms" {
			t.Fatalf("%v", next)
		}
		dead, err := s.Notices.DeadDeliveries(t.Context(), 10)
		ok(t, err)
		if len(dead) != 1 || dead[0].Said != "bot was blocked" {
			t.Errorf("%+v", dead)
		}
		ok(t, s.Notices.ResendDelivery(t.Context(), dead[0].ID, now.Add(time.Minute)))
		if err := s.Notices.ResendDelivery(t.Context(), next[0].ID, now); err == nil {
			t.Error("one that is being sent was put back")
		}
	})
}

// A replica that comes too late with what it knows of a message changes nothing.
func TestAMessageThatAnotherReplicaHasSentStaysSent(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		staff(t, s)
		now := time.Now()
		id := store.NewID()
		ok(t, planner(s).Open(t.Context(), noticedb.Escalation{ID: id, Event: policy.GrantEnded, OpenedAt: now}))
		claim := func(replica string, at time.Time) noticedb.Delivery {
			claimed, err := s.Notices.ClaimDeliveries(t.Context(), replica, at, at.Add(time.Minute), 10)
			ok(t, err)
			if len(claimed) != 1 {
				t.Fatalf("%s gets %v", replica, claimed)
			}
			ok(t, s.Notices.BeginSend(t.Context(), claimed[0].ID, replica, at.Add(time.Minute)))
			return claimed[0]
		}
		frozen := claim("frozen", now.Add(time.Second))
		other := claim("other", now.Add(time.Hour))
		late := func(when string) {
			ok(t, planner(s).Failed(t.Context(), frozen, escalation.NotTaken{Reason: "unreachable", Again: now.Add(time.Minute)}, now.Add(time.Hour)))
			ok(t, planner(s).Failed(t.Context(), frozen, escalation.NotTaken{Reason: "blocked"}, now.Add(time.Hour)))
			if d, err := s.Notices.Delivery(t.Context(), other.ID); err != nil || d.Reason != "" {
				t.Errorf("%s: %v %v: %s", when, err, d, d.Reason)
			}
		}
		late("while the other sends")
		ok(t, s.Notices.SentDelivery(t.Context(), other.ID, "", now.Add(time.Hour)))
		late("when the other has sent")
		same(t, "in the end", deliveriesOf(t, s), "problem desk/tg sent")
	})
}

// While a trouble goes on, a message that is given up leads to another one, until
// there is nobody left: a bot that its only reader has blocked must not be the end.
func TestATroubleOfWhichNobodyCouldBeToldGoesOtherWays(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		staff(t, s)
		now := time.Now()
		ok(t, s.Notices.SavePolicy(t.Context(), policy.Policy{ID: "p", Title: "One", Enabled: true, Events: []policy.Event{policy.GrantEnded}, Steps: []policy.Step{{To: "anna", Channel: "tg"}}}, now))
		id := store.NewID()
		ok(t, planner(s).Open(t.Context(), noticedb.Escalation{ID: id, Event: policy.GrantEnded, OpenedAt: now}))
		fail := func(how escalation.NotTaken, want ...string) {
			t.Helper()
			now = now.Add(time.Second)
			claimed, err := s.Notices.ClaimDeliveries(t.Context(), "me", now, now.Add(time.Hour), 10)
			ok(t, err)
			if len(claimed) != 1 {
				t.Fatalf("%v is sent", claimed)
			}
			ok(t, s.Notices.BeginSend(t.Context(), claimed[0].ID, "me", now.Add(time.Hour)))
			ok(t, planner(s).Failed(t.Context(), claimed[0], how, now))
			all, err := s.Notices.Deliveries(t.Context(), id)
			ok(t, err)
			var got []string
			for _, d := range all {
				got = append(got, fmt.Sprintf("%d %s/%s %s", d.Step, d.Contact, d.Channel, d.State))
			}
			same(t, "after "+how.Reason, got, want...)
		}
		untold := func(want int64) {
			t.Helper()
			if n, err := s.Notices.Untold(t.Context()); err != nil || n != want {
				t.Errorf("nobody could be told of %d troubles, want %d, %v", n, want, err)
			}
		}
		fail(escalation.NotTaken{Reason: "busy", Again: now}, "0 anna/tg waiting")
		fail(escalation.NotTaken{Reason: "blocked"}, "0 anna/tg dead", "1 anna/sms waiting")
		fail(escalation.NotTaken{Reason: "no credit"}, "0 anna/tg dead", "1 anna/sms dead", "2 desk/tg waiting")
		untold(0)
		fail(escalation.NotTaken{Reason: "blocked, too"}, "0 anna/tg dead", "1 anna/sms dead", "2 desk/tg dead")
		untold(1)
		ok(t, planner(s).Acknowledge(t.Context(), id, "Anna", now))
		untold(0)
	})
}

func TestATroubleThatNeedsNobodyGoesNoOtherWay(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		staff(t, s)
		now := time.Now()
		ok(t, s.Notices.SavePolicy(t.Context(), policy.Policy{ID: "p", Title: "One", Enabled: true, Events: []policy.Event{policy.GrantEnded}, Steps: []policy.Step{{To: "anna", Channel: "tg"}}}, now))
		for name, end := range map[string]func(id string) escalation.NotTaken{
			"it is over": func(id string) escalation.NotTaken {
				ok(t, planner(s).Close(t.Context(), id, now))
				return escalation.NotTaken{Reason: "blocked"}
			},
			"it is taken care of": func(id string) escalation.NotTaken {
				ok(t, planner(s).Acknowledge(t.Context(), id, "Anna", now))
				return escalation.NotTaken{Reason: "blocked"}
			},
			"what it was about is gone": func(string) escalation.NotTaken { return escalation.NotTaken{Reason: "too_old", Moot: true} },
		} {
			id := store.NewID()
			ok(t, planner(s).Open(t.Context(), noticedb.Escalation{ID: id, Event: policy.GrantEnded, OpenedAt: now}))
			claimed, err := s.Notices.ClaimDeliveries(t.Context(), "me", now.Add(time.Second), now.Add(time.Hour), 10)
			ok(t, err)
			ok(t, planner(s).Failed(t.Context(), claimed[0], end(id), now.Add(time.Second)))
			all, err := s.Notices.Deliveries(t.Context(), id)
			ok(t, err)
			for _, d := range all {
				if d.Kind == noticedb.DeliveryProblem && d.State == noticedb.DeliveryWaiting {
					t.Errorf("%s: still to be sent: %v to %s", name, d, d.Contact)
				}
			}
			ok(t, planner(s).Close(t.Context(), id, now))
		}
	})
}
