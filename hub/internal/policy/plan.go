package policy

import (
	"slices"
	"time"
)

// Plan is every message of a situation: each contact gets at most one on each channel,
// at the earliest time that any policy says. Trouble of which the policies tell nobody,
// because none is about it or nobody whom they name is there, goes to the rest.
func Plan(s Situation, policies []Policy, contacts []Contact) []Planned {
	b := &board{s: s, byID: map[string]Contact{}}
	for _, c := range contacts {
		b.byID[c.ID] = c
	}
	for _, p := range policies {
		if !p.Matches(s) {
			continue
		}
		for _, step := range p.Steps {
			b.step(step, p.Urgent)
		}
	}
	if len(b.all) == 0 && s.Event != Recovered {
		b.rest(contacts)
	}
	slices.SortStableFunc(b.all, func(x, y Planned) int { return x.At.Compare(y.At) })
	for i := range b.all {
		b.all[i].Step = i
	}
	return b.all
}

// board gathers messages.
type board struct {
	s    Situation
	byID map[string]Contact
	all  []Planned
}

func (b *board) step(step Step, urgent bool) {
	ids := []string{step.To}
	if step.To == ToOwner {
		ids = b.s.Owners
	}
	for _, id := range ids {
		b.add(id, step.Channel, step.After, urgent)
	}
}

// rest tells the owners, and those who take what is left if there is none.
func (b *board) rest(contacts []Contact) {
	after := b.s.Event.grace()
	for _, id := range b.s.Owners {
		b.add(id, "", after, false)
	}
	if len(b.all) > 0 {
		return
	}
	for _, c := range contacts {
		if c.TakesRest {
			b.add(c.ID, "", after, false)
		}
	}
}

// add plans a message to a contact. One who has no address on the channel is left out
// only if none is known at all: a way that was forgotten must be seen as a failure.
func (b *board) add(id, channel string, after time.Duration, urgent bool) {
	c, ok := b.byID[id]
	if !ok {
		return
	}
	if channel == "" {
		if len(c.Addresses) == 0 {
			return
		}
		channel = c.Addresses[0].Channel
	}
	at := b.s.Began.Add(after)
	if !urgent {
		at = c.Quiet.After(at, c.Zone)
	}
	for i := range b.all {
		if b.all[i].Contact == id && b.all[i].Channel == channel {
			if at.Before(b.all[i].At) {
				b.all[i].At = at
			}
			return
		}
	}
	b.all = append(b.all, Planned{Contact: id, Channel: channel, At: at})
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
