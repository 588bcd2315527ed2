package main

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/evergrant/evergrant/hub/test/chaos/authority"
)

// loss is a grant that has ended.
type loss struct {
	connection, family string
	cause              string
	// killedOut is set if its hub was killed with the request out: nobody can help.
	killedOut bool
	timeline  []string
}

// Causes that are no trouble.
const (
	causeLate    = "late answer"
	causeUnknown = "no trouble"
	causeGivenUp = "given up although it lives"
	causeDead    = "cannot be renewed at the end"
)

// before is how much of what was before the end of a grant is in its timeline.
const before = 8 * time.Second

// inTheAir is how long a reply may need from the authorization server to the disk
// of a hub that works.
const inTheAir = time.Second

// causeOf says why a family has ended. What counts is the request that came first:
// the other one was sent because somebody did not wait for its answer, whichever of
// them the server looked at first.
func (s *site) causeOf(end *authority.End) (cause string, killedOut bool) {
	sent, to := end.First, end.Again.At
	if end.Again.At.Before(end.First.At) {
		sent, to = end.Again, end.First.At
	}
	if s.killedWith(sent, to) {
		return string(hubKilled) + " with the request out", true
	}
	events := s.chronicle.between(sent.At.Add(-aftermath), to)
	for _, what := range []trouble{hubKilled, hubStopped, hubFrozen, pluginStopped, pluginKilled, databaseDown} {
		if slices.ContainsFunc(events, func(e event) bool {
			return e.what == what && (e.who == "" || e.who == sent.Client || sent.Client == nobody)
		}) {
			return string(what), false
		}
	}
	if sent.Answered.IsZero() || sent.Answered.Sub(sent.At) > time.Second {
		return causeLate, false
	}
	return causeUnknown, false
}

// aftermath is how long a trouble can be the cause of something after its end: the
// time-out of the hubs.
const aftermath = 5 * time.Second

// killedWith reports whether the hub that had sent a request was killed before it
// can have had the answer on its disk: then nobody can help. What its journal had
// counts, whatever the times say.
func (s *site) killedWith(sent authority.Entry, to time.Time) bool {
	for token := range s.onDisk {
		if authority.FamilyOf(token) == sent.Family && sent.Next > 0 && s.authority.Nth(token) == sent.Next {
			return false
		}
	}
	return slices.ContainsFunc(s.chronicle.between(sent.At.Add(-aftermath), to), func(e event) bool {
		if e.what != hubKilled || (e.who != sent.Client && sent.Client != nobody) {
			return false
		}
		return s.wasOut(sent, e)
	})
}

// wasOut reports whether a hub that was killed can not have had the answer: it came
// too late, or the hub was frozen when it came. The request may have been in the
// network when its hub was killed.
func (s *site) wasOut(sent authority.Entry, killed event) bool {
	if sent.At.After(killed.from.Add(inTheAir)) {
		return fromTheDead(sent) && !sent.At.After(killed.from.Add(aftermath))
	}
	if sent.Answered.IsZero() || sent.Answered.Add(inTheAir).After(killed.from) {
		return true
	}
	return slices.ContainsFunc(s.chronicle.between(sent.Answered, killed.from), func(e event) bool {
		frozen := e.what == hubFrozen || e.what == pluginStopped
		return frozen && e.who == killed.who && !e.to.IsZero() && e.to.Add(inTheAir).After(killed.from)
	})
}

// fromTheDead reports whether a request came from a process that was no more: nobody had
// its port, and it had hung up before it was read. A server that is busy reads it late.
func fromTheDead(sent authority.Entry) bool {
	return sent.Client == nobody && !sent.Gone.IsZero() && sent.Gone.Sub(sent.At) < 100*time.Millisecond
}

// timeline is what happened to a family around its end, and to whom it was in the
// hands of.
func (s *site) timeline(family string, from, to time.Time) []string {
	var lines []string
	clients := map[string]bool{"": true}
	for _, e := range s.authority.Log(family) {
		if e.At.After(from) && !e.At.After(to) {
			clients[e.Client] = true
			lines = append(lines, e.String())
		}
	}
	for _, e := range s.chronicle.between(from, to) {
		if clients[e.who] {
			lines = append(lines, e.String())
		}
	}
	slices.Sort(lines) // they begin with a time of the day
	return lines
}

// reauthorize judges every family that has ended, and has a person authorize its
// connection again, until ctx ends: the others have to go on meanwhile.
func (s *site) reauthorize(ctx context.Context) {
	var work sync.WaitGroup
	defer work.Wait()
	for wait(ctx, 300*time.Millisecond) == nil {
		for _, family := range s.authority.Ended() {
			if name, ok := s.judgeEnd(family); ok {
				work.Go(func() { s.person(ctx, name, family) })
			}
		}
	}
}

// judgeEnd notes the end of a family once; ok is false if that was done.
func (s *site) judgeEnd(family string) (connection string, ok bool) {
	end := s.authority.Grant(family).Ended
	s.mu.Lock()
	defer s.mu.Unlock()
	connection = s.holder[family]
	if s.seen[family] || end == nil || connection == "" {
		return "", false
	}
	s.seen[family] = true
	l := loss{connection: connection, family: family}
	l.cause, l.killedOut = s.causeOf(end)
	from, to := end.First.At, end.Again.At
	if to.Before(from) {
		from, to = to, from
	}
	l.timeline = s.timeline(family, from.Add(-before), to.Add(time.Second))
	s.losses = append(s.losses, l)
	return connection, true
}

// person authorizes a connection again once the hub says that this is needed.
func (s *site) person(ctx context.Context, name, family string) {
	for wait(ctx, 500*time.Millisecond) == nil {
		hub := s.anyURL()
		v, err := s.client.view(ctx, hub, name)
		if err != nil || v.Status != "needs_authorization" {
			continue
		}
		code, err := s.client.consent(ctx, hub, redirected, name)
		if next := authority.FamilyOf(code); err == nil && next != "" && next != family {
			if v, err := s.client.view(ctx, hub, name); err == nil && v.Status != "needs_authorization" {
				s.belongs(next, name)
				return
			}
		}
	}
}

// denied is told that a hub asks for a new authorization: that must not be while
// the grant lives.
func (s *site) denied(name string) {
	s.mu.Lock()
	family := s.family[name]
	s.mu.Unlock()
	if s.authority.Grant(family).Ended != nil {
		return
	}
	s.gone(name, family, causeGivenUp)
}

// gone notes a grant that is lost although its family lives.
func (s *site) gone(name, family, cause string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen[family] {
		return
	}
	s.seen[family] = true
	now := time.Now()
	s.losses = append(s.losses, loss{connection: name, family: family, cause: cause, timeline: s.timeline(family, now.Add(-time.Minute), now)})
}
