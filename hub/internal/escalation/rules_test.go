package escalation_test

import (
	"slices"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/escalation"
	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
	"github.com/evergrant/evergrant/sdk/provider"
)

var at = time.Date(2030, 1, 2, 12, 0, 0, 0, time.UTC)

// step is a message of an escalation.
func step(id, state string, due time.Duration, attempts int) noticedb.Delivery {
	return noticedb.Delivery{ID: id, Contact: id, State: state, DueAt: at.Add(due), Attempts: attempts, Kind: noticedb.DeliveryProblem}
}

func TestTheNextStepIsExpeditedUnlessSomebodyIsNotified(t *testing.T) {
	dead, waits := step("a", noticedb.DeliveryDead, 0, 1), step("b", noticedb.DeliveryWaiting, time.Hour, 0)
	for _, test := range []struct {
		name      string
		steps     []noticedb.Delivery
		want      string
		abandoned bool
	}{
		{"none is left", []noticedb.Delivery{dead}, "", true},
		{"the next one waits", []noticedb.Delivery{dead, waits}, "b", false},
		{"the soonest of two", []noticedb.Delivery{dead, step("c", noticedb.DeliveryWaiting, 2*time.Hour, 0), waits}, "b", false},
		{"one was sent", []noticedb.Delivery{dead, step("c", noticedb.DeliverySent, 0, 1), waits}, "", false},
		{"one is being sent", []noticedb.Delivery{dead, waits, step("c", noticedb.DeliverySending, 0, 1)}, "", false},
		{"the next one is due", []noticedb.Delivery{dead, step("c", noticedb.DeliveryWaiting, -time.Second, 0), waits}, "", false},
		{"the next one is being retried", []noticedb.Delivery{dead, step("c", noticedb.DeliveryWaiting, time.Minute, 3)}, "", false},
		{"the rest was dropped", []noticedb.Delivery{dead, step("c", noticedb.DeliveryDropped, time.Minute, 0)}, "", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			next, ok := escalation.ToExpedite(test.steps, at)
			if ok != (test.want != "") || ok && next.ID != test.want || escalation.AllAbandoned(test.steps) != test.abandoned {
				t.Errorf("%q %v, want %q", next.ID, ok, test.want)
			}
		})
	}
}

func TestWhatBecomesOfAMessageThatWasNotAccepted(t *testing.T) {
	problem, end := step("a", noticedb.DeliverySending, 0, 1), step("a", noticedb.DeliverySending, 0, 1)
	end.Kind = noticedb.DeliveryRecovered
	open, over, acknowledged := noticedb.Escalation{}, noticedb.Escalation{ClosedAt: at}, noticedb.Escalation{AcknowledgedAt: at}
	again := escalation.NotTaken{Again: at.Add(time.Minute)}
	for _, test := range []struct {
		name  string
		d     noticedb.Delivery
		about noticedb.Escalation
		how   escalation.NotTaken
		want  string
	}{
		{"it is retried", problem, open, again, noticedb.DeliveryWaiting},
		{"it is over", problem, over, again, noticedb.DeliveryDropped},
		{"it is acknowledged", problem, acknowledged, again, noticedb.DeliveryDropped},
		{"its end is sent although it is over", end, over, again, noticedb.DeliveryWaiting},
		{"it is abandoned", problem, open, escalation.NotTaken{}, noticedb.DeliveryDead},
		{"it is abandoned when it is over", problem, over, escalation.NotTaken{}, noticedb.DeliveryDead},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := escalation.FailureOf(test.d, test.about, test.how); got.State != test.want || !got.Settled {
				t.Errorf("%+v, want %s", got, test.want)
			}
		})
	}
}

func TestAnEscalationIsContinuedForOthers(t *testing.T) {
	was := noticedb.Escalation{Affected: 5, Connections: []string{"a", "b"}}
	for _, test := range []struct {
		name         string
		acknowledged bool
		affected     int
		ids          []string
		late         bool
		wantAffected int
		want         bool
	}{
		{"the same", false, 5, []string{"a", "b"}, false, 5, false},
		{"fewer", false, 1, []string{"b"}, false, 5, false},
		{"another one", false, 6, []string{"a", "c"}, false, 6, true},
		{"another one, acknowledged", true, 6, []string{"a", "c"}, false, 6, false},
		{"somebody can be notified", false, 5, []string{"a"}, true, 5, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := was
			if test.acknowledged {
				w.AcknowledgedAt = at
			}
			e, replan := escalation.Continued(w, test.affected, test.ids, test.late)
			if replan != test.want || e.Affected != test.wantAffected || !slices.Equal(e.Connections, test.ids) {
				t.Errorf("%v %+v", replan, e)
			}
		})
	}
}

// Each grant that ends within 14 days, or has ended within the last 7, is of one term, and each
// static key that ends within 30.
func TestTermsCoverTheDaysOnce(t *testing.T) {
	for in, want := range map[time.Duration]int{
		-8 * 24 * time.Hour: -1, -time.Hour: 0, 0: 0, time.Millisecond: 1, 24 * time.Hour: 1, 25 * time.Hour: 3, 72 * time.Hour: 3,
		13 * 24 * time.Hour: 14, 14 * 24 * time.Hour: 14, 14*24*time.Hour + time.Millisecond: 30, 30 * 24 * time.Hour: 30, 30*24*time.Hour + time.Millisecond: -1,
	} {
		var of []int
		for _, term := range escalation.Terms(at) {
			if end := at.Add(in); end.After(term.After) && !end.After(term.Until) {
				of = append(of, term.Days)
				if (term.Grant == provider.GrantStatic) != (term.Days == policy.KeyDays) {
					t.Errorf("the term of %d days is of %q", term.Days, term.Grant)
				}
			}
		}
		if want < 0 && len(of) > 0 || want >= 0 && !slices.Equal(of, []int{want}) {
			t.Errorf("a grant that ends in %s is of the terms %v, want %d", in, of, want)
		}
	}
}

func TestTheEndIsSentToWhoeverMayKnow(t *testing.T) {
	unknown := step("unknown", noticedb.DeliveryDead, 0, 2)
	unknown.Begun = 1
	steps := []noticedb.Delivery{
		step("sent", noticedb.DeliverySent, 0, 1), step("dead", noticedb.DeliveryDead, 0, 3), step("sending", noticedb.DeliverySending, 0, 1), unknown,
		step("waiting", noticedb.DeliveryWaiting, 0, 0), step("dropped", noticedb.DeliveryDropped, 0, 0),
	}
	var got []string
	for i, p := range escalation.NotifiedOf(steps, at) {
		if p.Step != i || !p.At.Equal(at) {
			t.Errorf("%+v", p)
		}
		got = append(got, p.Contact)
	}
	if !slices.Equal(got, []string{"sent", "sending", "unknown"}) {
		t.Errorf("%v", got)
	}
}
