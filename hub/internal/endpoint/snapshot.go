package endpoint

import (
	"cmp"
	"slices"
	"time"
)

// Status is the state of an endpoint, for pages and metrics.
type Status struct {
	Key   Key
	State State
	// InFlight and Waiting are requests now, of Limits.InFlight at most.
	InFlight, Waiting int
	// Until is when an open circuit lets a probe in; zero otherwise.
	Until time.Time
	// Since is when its outage began and Cause its cause; zero if it is healthy.
	Since time.Time
	Cause string
	// Openings counts in this outage.
	Openings int
	// Requests have entered, Refused were sent away, Failed met a failure: counts
	// since the hub started.
	Requests, Refused, Failed int64
	Limits                    Limits
}

// Snapshot returns the state of every endpoint, by key.
func (l *Limiter) Snapshot() []Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	all := make([]Status, 0, len(l.endpoints))
	for key, e := range l.endpoints {
		s := Status{
			Key: key, State: e.circuit.state(now), InFlight: e.inFlight, Waiting: len(e.waiting), Since: e.circuit.since,
			Cause: e.circuit.cause, Openings: e.circuit.openings, Requests: e.requests, Refused: e.refused, Failed: e.failed,
			Limits: e.circuit.limits,
		}
		if e.circuit.open {
			s.Until = e.circuit.until
		}
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b Status) int { return cmp.Compare(a.Key, b.Key) })
	return all
}
