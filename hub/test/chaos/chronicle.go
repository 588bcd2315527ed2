package main

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// trouble is what happens to a hub, its plugin or its database.
type trouble string

const (
	hubKilled      trouble = "hub killed"
	hubFrozen      trouble = "hub frozen"
	hubStopped     trouble = "hub stopped"
	pluginKilled   trouble = "plugin killed"
	pluginStopped  trouble = "plugin frozen"
	databaseDown   trouble = "database restarted"
	endpointStalls trouble = "endpoint stalls"
)

// event is a trouble with its time.
type event struct {
	what trouble
	// who is a hub as the authorization server's log names it; empty is everybody.
	who      string
	from, to time.Time // to is zero while it lasts
	detail   string
}

// String is a line of a timeline.
func (e event) String() string {
	s := fmt.Sprintf("%s %s %s", e.from.Format(clock), e.who, e.what)
	if e.who == "" {
		s = fmt.Sprintf("%s %s", e.from.Format(clock), e.what)
	}
	if e.detail != "" {
		s += " (" + e.detail + ")"
	}
	switch {
	case e.to.IsZero():
		s += ", lasts"
	case e.to.Sub(e.from) > time.Millisecond:
		s += fmt.Sprintf(" for %.1f s", e.to.Sub(e.from).Seconds())
	}
	return s
}

const clock = "15:04:05.000"

// during reports whether the event and a time have something in common.
func (e event) during(from, to time.Time) bool {
	return !e.from.After(to) && (e.to.IsZero() || !e.to.Before(from))
}

// chronicle is what happened, in the order of its beginning.
type chronicle struct {
	mu     sync.Mutex
	events []*event
}

// begin notes an event; the returned function ends it.
func (c *chronicle) begin(what trouble, who, detail string) (end func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := &event{what: what, who: who, from: time.Now(), detail: detail}
	c.events = append(c.events, e)
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		e.to = time.Now()
	}
}

// between are the events of a time.
func (c *chronicle) between(from, to time.Time) []event {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []event
	for _, e := range c.events {
		if e.during(from, to) {
			found = append(found, *e)
		}
	}
	return found
}

// calm reports whether nothing has happened in a time.
func (c *chronicle) calm(from, to time.Time) bool { return len(c.between(from, to)) == 0 }

// counts says how often what has happened.
func (c *chronicle) counts() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := map[trouble]int{}
	for _, e := range c.events {
		n[e.what]++
	}
	var said []string
	for _, what := range []trouble{hubKilled, hubFrozen, hubStopped, pluginKilled, pluginStopped, databaseDown, endpointStalls} {
		if n[what] > 0 {
			said = append(said, fmt.Sprintf("%s %d times", what, n[what]))
		}
	}
	return strings.Join(said, ", ")
}
