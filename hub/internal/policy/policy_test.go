package policy_test

import (
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/policy"
)

var began = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

func contact(id string, channels ...string) policy.Contact {
	c := policy.Contact{ID: id, Zone: "Europe/Moscow"}
	for _, channel := range channels {
		c.Addresses = append(c.Addresses, policy.Address{Channel: channel, To: id + " on " + channel})
	}
	return c
}

func text(planned []policy.Planned) (s string) {
	for _, p := range planned {
		s += p.Contact + "/" + p.Channel + "+" + p.At.Sub(began).String() + " "
	}
	return s
}

func TestWhoIsToldOfWhat(t *testing.T) {
	contacts := []policy.Contact{contact("anna", "telegram", "sms", "mail"), contact("boris", "mail"), contact("mute"), contact("desk", "mail")}
	contacts[3].TakesRest = true
	ladder := policy.Policy{ID: "p", Enabled: true, Events: []policy.Event{policy.GrantEnded}, Steps: []policy.Step{
		{To: "anna", Channel: "telegram"}, {After: 10 * time.Minute, To: "anna", Channel: "sms"}, {After: 20 * time.Minute, To: policy.ToOwner, Channel: "mail"},
	}}
	with := func(change func(*policy.Policy)) policy.Policy {
		p := ladder
		change(&p)
		return p
	}
	for name, c := range map[string]struct {
		s        policy.Situation
		policies []policy.Policy
		want     string
	}{
		"step by step": {
			policy.Situation{Event: policy.GrantEnded, Owners: []string{"boris"}}, []policy.Policy{ladder},
			"anna/telegram+0s anna/sms+10m0s boris/mail+20m0s ",
		},
		"any trouble": {
			policy.Situation{Event: policy.OperatorNeeded}, []policy.Policy{with(func(p *policy.Policy) { p.Events = []policy.Event{policy.IncidentOpened} })},
			"anna/telegram+0s anna/sms+10m0s ",
		},
		"any trouble is not any event": {
			policy.Situation{Event: policy.PersonIn3, Owners: []string{"boris"}}, []policy.Policy{with(func(p *policy.Policy) { p.Events = []policy.Event{policy.IncidentOpened} })},
			"boris/mail+0s ",
		},
		"of another service": {
			policy.Situation{Event: policy.GrantEnded, Services: []string{"b"}, Owners: []string{"boris"}}, []policy.Policy{with(func(p *policy.Policy) { p.Services = []string{"a"} })},
			"boris/mail+0s ",
		},
		"of a tag": {
			policy.Situation{Event: policy.GrantEnded, Services: []string{"b"}, Tags: []string{"moscow"}}, []policy.Policy{with(func(p *policy.Policy) { p.Services, p.Tags = []string{"a"}, []string{"moscow"} })},
			"anna/telegram+0s anna/sms+10m0s ",
		},
		"switched off": {
			policy.Situation{Event: policy.GrantEnded}, []policy.Policy{with(func(p *policy.Policy) { p.Enabled = false })},
			"desk/mail+0s ",
		},
		"nobody named": {policy.Situation{Event: policy.OperatorNeeded}, nil, "desk/mail+0s "},
		"an outage is given time": {
			policy.Situation{Event: policy.RenewalFailed, Owners: []string{"boris"}}, nil, "boris/mail+15m0s ",
		},
		"an owner without an address is no owner": {policy.Situation{Event: policy.GrantEnded, Owners: []string{"mute", "gone"}}, nil, "desk/mail+0s "},
		"the owner that the policy names is nobody": {
			policy.Situation{Event: policy.GrantEnded},
			[]policy.Policy{{Enabled: true, Events: []policy.Event{policy.GrantEnded}, Steps: []policy.Step{{To: policy.ToOwner}}}},
			"desk/mail+0s ",
		},
		"whom the policy names is gone": {
			policy.Situation{Event: policy.GrantEnded, Owners: []string{"boris"}},
			[]policy.Policy{{Enabled: true, Events: []policy.Event{policy.GrantEnded}, Steps: []policy.Step{{To: "gone", Channel: "sms"}}}},
			"boris/mail+0s ",
		},
		"two policies, one message": {
			policy.Situation{Event: policy.GrantEnded, Owners: []string{"anna"}},
			[]policy.Policy{ladder, {Enabled: true, Events: []policy.Event{policy.GrantEnded}, Steps: []policy.Step{{After: time.Minute, To: policy.ToOwner, Channel: "sms"}}}},
			"anna/telegram+0s anna/sms+1m0s anna/mail+20m0s ",
		},
		"an end that nobody asked for": {policy.Situation{Event: policy.Recovered, Owners: []string{"boris"}}, []policy.Policy{ladder}, ""},
	} {
		c.s.Began = began
		if got := text(policy.Plan(c.s, c.policies, contacts)); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestQuietHoursPutMessagesOff(t *testing.T) {
	moscow, err := time.LoadLocation("Europe/Moscow")
	if err != nil {
		t.Fatal(err)
	}
	at := func(day, hour, minute int) time.Time { return time.Date(2026, 3, day, hour, minute, 0, 0, moscow) }
	night, noon := policy.Quiet{From: 22 * 60, Until: 8*60 + 30}, policy.Quiet{From: 12 * 60, Until: 13 * 60}
	for _, c := range []struct {
		q        policy.Quiet
		at, want time.Time
	}{
		{night, at(10, 21, 59), at(10, 21, 59)}, {night, at(10, 22, 0), at(11, 8, 30)}, {night, at(10, 23, 59), at(11, 8, 30)},
		{night, at(11, 0, 0), at(11, 8, 30)}, {night, at(11, 8, 29), at(11, 8, 30)}, {night, at(11, 8, 30), at(11, 8, 30)},
		{night, at(31, 23, 0), time.Date(2026, 4, 1, 8, 30, 0, 0, moscow)},
		{noon, at(10, 11, 59), at(10, 11, 59)}, {noon, at(10, 12, 30), at(10, 13, 0)}, {noon, at(10, 13, 0), at(10, 13, 0)},
		{policy.Quiet{}, at(10, 3, 0), at(10, 3, 0)},
	} {
		if got := c.q.After(c.at, "Europe/Moscow"); !got.Equal(c.want) {
			t.Errorf("%v at %v: %v, want %v", c.q, c.at, got, c.want)
		}
	}
	quiet := contact("anna", "sms")
	quiet.Quiet = policy.Quiet{From: 14 * 60, Until: 16 * 60} // it is 15:00 in Moscow
	s := policy.Situation{Event: policy.GrantEnded, Began: began, Owners: []string{"anna"}}
	if got := text(policy.Plan(s, nil, []policy.Contact{quiet})); got != "anna/sms+1h0m0s " {
		t.Errorf("in quiet hours: %s", got)
	}
	urgent := policy.Policy{Enabled: true, Urgent: true, Events: []policy.Event{policy.GrantEnded}, Steps: []policy.Step{{To: policy.ToOwner}}}
	if got := text(policy.Plan(s, []policy.Policy{urgent}, []policy.Contact{quiet})); got != "anna/sms+0s " {
		t.Errorf("urgent in quiet hours: %s", got)
	}
}

func TestAMessageIsTriedForADay(t *testing.T) {
	now, tries := began, 0
	var last time.Duration
	for {
		at, ok := policy.Retry(now, began, tries+1, 0)
		if !ok {
			break
		}
		if wait := at.Sub(now); wait < last*9/10 {
			t.Errorf("after try %d the wait falls to %v", tries+1, wait)
		} else {
			last = wait
		}
		now = at
		tries++
	}
	if tries < 25 || tries > 40 || now.Sub(began) < 22*time.Hour {
		t.Errorf("%d tries until %v", tries, now.Sub(began))
	}
	if at, ok := policy.Retry(began, began, 1, 3*time.Hour); !ok || at.Sub(began) < 3*time.Hour {
		t.Errorf("the service asked for three hours and gets %v", at.Sub(began))
	}
}

func TestEveryCauseHasAnEvent(t *testing.T) {
	for kind, want := range map[connection.CauseKind]policy.Event{
		connection.CauseClient: policy.OperatorNeeded, connection.CauseService: policy.OperatorNeeded, connection.CauseOutage: policy.RenewalFailed,
		connection.CausePlugin: policy.PluginFailed, connection.CauseGrant: policy.GrantEnded, connection.CauseUncertain: policy.RenewalFailed, connection.CauseHub: policy.RenewalFailed,
	} {
		if got := policy.EventOf(connection.Cause{Kind: kind}); got != want {
			t.Errorf("%s: %s", kind, got)
		}
	}
}
