package policy

import (
	"slices"
	"time"
)

// Plan returns every message of a situation: each contact gets at most one on each
// channel, at the earliest time of any escalation policy. An incident without a message,
// because no escalation policy matches it or none of its contacts exists, goes to the
// rest.
func Plan(s Situation, policies []Policy, contacts []Contact) []Planned {
	p := &planner{s: s, byID: map[string]Contact{}}
	for _, c := range contacts {
		p.byID[c.ID] = c
	}
	for _, policy := range policies {
		if !policy.Matches(s) {
			continue
		}
		for _, step := range policy.Steps {
			p.step(step, policy.Urgent)
		}
	}
	if len(p.all) == 0 && s.Event != Recovered {
		p.rest(contacts)
	}
	slices.SortStableFunc(p.all, func(x, y Planned) int { return x.At.Compare(y.At) })
	for i := range p.all {
		p.all[i].Step = i
	}
	return p.all
}

// planner collects the messages of a plan.
type planner struct {
	s    Situation
	byID map[string]Contact
	all  []Planned
}

func (p *planner) step(step Step, urgent bool) {
	ids := []string{step.To}
	if step.To == ToOwner {
		ids = p.s.Owners
	}
	for _, id := range ids {
		p.add(id, step.Channel, step.After, urgent)
	}
}

// rest notifies the owners, and if there are none the contacts that take the rest.
func (p *planner) rest(contacts []Contact) {
	after := p.s.Event.grace()
	for _, id := range p.s.Owners {
		p.add(id, "", after, false)
	}
	if len(p.all) > 0 {
		return
	}
	for _, c := range contacts {
		if c.TakesRest {
			p.add(c.ID, "", after, false)
		}
	}
}

// add plans a message to a contact. A contact without an address on the channel is left
// out only if it has no address at all: a missing address must show as a failure.
func (p *planner) add(id, channel string, after time.Duration, urgent bool) {
	c, ok := p.byID[id]
	if !ok {
		return
	}
	if channel == "" {
		if len(c.Addresses) == 0 {
			return
		}
		channel = c.Addresses[0].Channel
	}
	at := p.s.Began.Add(after)
	if !urgent {
		at = c.Quiet.After(at, c.Zone)
	}
	for i := range p.all {
		if p.all[i].Contact == id && p.all[i].Channel == channel {
			if at.Before(p.all[i].At) {
				p.all[i].At = at
			}
			return
		}
	}
	p.all = append(p.all, Planned{Contact: id, Channel: channel, At: at})
}

// After is t, or the end of the quiet hours in which it lies. An unknown zone is UTC.
func (q Quiet) After(t time.Time, zone string) time.Time {
	if q.From == q.Until {
		return t
	}
	location, err := time.LoadLocation(zone)
	if err != nil {
		location = time.UTC
	}
	local := t.In(location)
	minute := local.Hour()*60 + local.Minute()
	days := 0
	switch {
	case q.From < q.Until && (minute < q.From || minute >= q.Until):
		return t
	case q.From > q.Until && minute < q.From && minute >= q.Until:
		return t
	case q.From > q.Until && minute >= q.From:
		days = 1 // the quiet goes over midnight
	}
	return time.Date(local.Year(), local.Month(), local.Day()+days, q.Until/60, q.Until%60, 0, 0, location)
}
