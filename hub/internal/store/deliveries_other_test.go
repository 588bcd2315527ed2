package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

// While a trouble goes on, a message that is given up leads to another one, until
// there is nobody left: a bot that its only reader has blocked must not be the end.
func TestATroubleOfWhichNobodyCouldBeToldGoesOtherWays(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		staff(t, s)
		now := time.Now()
		check(t, s.Notices.SavePolicy(t.Context(), policy.Policy{ID: "p", Title: "One", Enabled: true, Events: []policy.Event{policy.GrantEnded}, Steps: []policy.Step{{To: "anna", Channel: "tg"}}}, now))
		id := store.NewID()
		check(t, s.Notices.OpenEscalation(t.Context(), noticedb.Escalation{ID: id, Event: policy.GrantEnded, OpenedAt: now}))
		fail := func(how noticedb.NotTaken, want ...string) {
			t.Helper()
			now = now.Add(time.Second)
			claimed, err := s.Notices.ClaimDeliveries(t.Context(), "me", now, now.Add(time.Hour), 10)
			check(t, err)
			if len(claimed) != 1 {
				t.Fatalf("%v is sent", claimed)
			}
			check(t, s.Notices.BeginSend(t.Context(), claimed[0].ID, "me", now.Add(time.Hour)))
			check(t, s.Notices.FailedDelivery(t.Context(), claimed[0], how, now))
			all, err := s.Notices.Deliveries(t.Context(), id)
			check(t, err)
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
		fail(noticedb.NotTaken{Reason: "busy", Again: now}, "0 anna/tg waiting")
		fail(noticedb.NotTaken{Reason: "blocked"}, "0 anna/tg dead", "1 anna/sms waiting")
		fail(noticedb.NotTaken{Reason: "no credit"}, "0 anna/tg dead", "1 anna/sms dead", "2 desk/tg waiting")
		untold(0)
		fail(noticedb.NotTaken{Reason: "blocked, too"}, "0 anna/tg dead", "1 anna/sms dead", "2 desk/tg dead")
		untold(1)
		check(t, s.Notices.Acknowledge(t.Context(), id, "Anna", now))
		untold(0)
	})
}

func TestATroubleThatNeedsNobodyGoesNoOtherWay(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		staff(t, s)
		now := time.Now()
		check(t, s.Notices.SavePolicy(t.Context(), policy.Policy{ID: "p", Title: "One", Enabled: true, Events: []policy.Event{policy.GrantEnded}, Steps: []policy.Step{{To: "anna", Channel: "tg"}}}, now))
		for name, end := range map[string]func(id string) noticedb.NotTaken{
			"it is over": func(id string) noticedb.NotTaken {
				check(t, s.Notices.CloseEscalation(t.Context(), id, now))
				return noticedb.NotTaken{Reason: "blocked"}
			},
			"it is taken care of": func(id string) noticedb.NotTaken {
				check(t, s.Notices.Acknowledge(t.Context(), id, "Anna", now))
				return noticedb.NotTaken{Reason: "blocked"}
			},
			"what it was about is gone": func(string) noticedb.NotTaken { return noticedb.NotTaken{Reason: "too_old", Moot: true} },
		} {
			id := store.NewID()
			check(t, s.Notices.OpenEscalation(t.Context(), noticedb.Escalation{ID: id, Event: policy.GrantEnded, OpenedAt: now}))
			claimed, err := s.Notices.ClaimDeliveries(t.Context(), "me", now.Add(time.Second), now.Add(time.Hour), 10)
			check(t, err)
			check(t, s.Notices.FailedDelivery(t.Context(), claimed[0], end(id), now.Add(time.Second)))
			all, err := s.Notices.Deliveries(t.Context(), id)
			check(t, err)
			for _, d := range all {
				if d.Kind == noticedb.DeliveryProblem && d.State == noticedb.DeliveryWaiting {
					t.Errorf("%s: still to be sent: %v to %s", name, d, d.Contact)
				}
			}
			check(t, s.Notices.CloseEscalation(t.Context(), id, now))
		}
	})
}
