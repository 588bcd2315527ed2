package endpoint

import (
	"hash/fnv"
	"slices"
	"time"
)

// State is the state of an endpoint's circuit.
type State string

// The states. Recovering is closed, but with a low limit and a low failure threshold.
const (
	StateClosed     State = "closed"
	StateOpen       State = "open"
	StateHalfOpen   State = "half_open"
	StateRecovering State = "recovering"
)

// circuit is the state machine of one endpoint. It is pure: now is an argument.
type circuit struct {
	key    Key
	seed   string // of the replica: its probes come at times of their own
	limits Limits

	// openings counts since the endpoint was last known to be healthy; 0 is closed.
	openings int
	// open is set from an opening until a probe was answered.
	open  bool
	until time.Time
	// probing is set while the probe is in flight.
	probing bool
	// failures and successes in a row, while not open.
	failures, successes int
	// epoch counts the changes between open and closed: an outcome of an earlier epoch is
	// ignored.
	epoch int
	// since is when the outage began, and cause its cause.
	since time.Time
	cause string
	// wellSince is when it was first answered after an opening; zero while it is not.
	wellSince time.Time
	// pause is how long it was open at the last time, without the time that the endpoint
	// requested.
	pause time.Duration
	// asleep are grants that were answered 429, one after the other; bounded by
	// Limits.Throttled.
	asleep []string
}

func (c *circuit) state(now time.Time) State {
	switch {
	case c.open && (c.probing || !now.Before(c.until)):
		return StateHalfOpen
	case c.open:
		return StateOpen
	case c.openings > 0:
		return StateRecovering
	default:
		return StateClosed
	}
}

// inFlight is how many may be in flight now.
func (c *circuit) inFlight(now time.Time) int {
	switch c.state(now) {
	case StateOpen:
		return 0
	case StateHalfOpen:
		return 1
	case StateRecovering:
		return min(c.limits.InFlight, c.limits.Failures)
	default:
		return c.limits.InFlight
	}
}

// admit lets a request in or returns when to retry. probe is set for the one request that
// a half-open circuit lets in.
func (c *circuit) admit(now time.Time) (probe bool, closed *ClosedError) {
	switch {
	case !c.open:
		return false, nil
	case c.probing:
		return false, &ClosedError{Key: c.key, Until: now.Add(c.limits.FirstOpen), Cause: c.cause}
	case now.Before(c.until):
		return false, &ClosedError{Key: c.key, Until: c.until, Cause: c.cause}
	}
	c.probing = true
	return true, nil
}

// outcome changes the circuit by the end of a request that entered in an epoch.
// Requests that were only observed have the current one.
func (c *circuit) outcome(now time.Time, epoch int, probe bool, o Outcome) {
	if probe {
		c.probing = false
	}
	if epoch != c.epoch || o.kind == notSent {
		return
	}
	if o.kind == throttled {
		if !c.ownThrottle(o) {
			c.asked(now, probe)
			return
		}
		o.kind = failed
	}
	if o.kind == answered {
		c.asleep = nil
		c.answered(now, probe)
		return
	}
	c.failures, c.successes = c.failures+1, 0
	switch {
	case c.open && !probe:
		// A request without a permit met the same outage. Only a longer wait is new.
		if o.retryAfter > 0 {
			c.until = later(c.until, now.Add(c.obeyed(o)))
		}
	case c.open, o.retryAfter > 0, c.failures >= c.limits.Failures, c.openings > 0 && c.failures >= recoveringFailures:
		c.trip(now, o)
	}
}

// recoveringFailures in a row open a recovering circuit again. A single one does not: one
// reply that was cut off does not show that the endpoint is down.
const recoveringFailures = 2

// ownThrottle reports whether a 429 is the endpoint's: as the service declares, or
// because several grants have got one with no answer between them. One grant's own
// Retry-After binds that grant alone, which its connection keeps.
func (c *circuit) ownThrottle(o Outcome) bool {
	switch o.whose {
	case CountedByAccount:
		return false
	case CountedByClient:
		return true
	}
	if !slices.Contains(c.asleep, o.grant) {
		c.asleep = append(c.asleep, o.grant)
	}
	if len(c.asleep) < c.limits.Throttled {
		return false
	}
	c.asleep = nil
	return true
}

// asked notes that the endpoint works, by a request that had no permit.
func (c *circuit) asked(now time.Time, probe bool) {
	c.failures = 0
	if c.open && probe {
		c.answered(now, true)
	}
}

func (c *circuit) answered(now time.Time, probe bool) {
	c.failures = 0
	if c.open {
		if probe { // one that did not ask for a permit may have hit another server
			c.open, c.successes, c.wellSince = false, 1, now
			c.epoch++
		}
		return
	}
	c.successes++
	c.forgive(now)
	if c.successes >= c.limits.Failures {
		c.forget()
	}
}

// forgive ends an outage that has been over for as long as the circuit was open at the
// last time: with few requests, the successes in a row would take too long.
func (c *circuit) forgive(now time.Time) {
	if c.openings > 0 && !c.open && !c.wellSince.IsZero() && now.Sub(c.wellSince) >= c.pause {
		c.forget()
	}
}

func (c *circuit) forget() {
	c.openings, c.cause, c.since, c.wellSince, c.pause = 0, "", time.Time{}, time.Time{}, 0
}

// trip opens the circuit: longer each time, and as long as the endpoint requested.
func (c *circuit) trip(now time.Time, o Outcome) {
	c.forgive(now)
	if c.openings == 0 {
		c.since = now
	}
	c.openings++
	c.wellSince = time.Time{}
	c.open, c.probing, c.cause, c.failures = true, false, o.cause, 0
	c.epoch++
	c.pause = c.interval(now)
	c.until = now.Add(max(c.pause, c.obeyed(o)))
}

// openShare is the share of an outage's duration for which the circuit stays open.
const openShare = 4

// interval is how long the circuit stays open this time.
func (c *circuit) interval(now time.Time) time.Duration {
	d := min(max(c.limits.FirstOpen, now.Sub(c.since)/openShare), c.limits.MostOpen)
	h := fnv.New64a()
	_, _ = h.Write([]byte(c.seed))
	_, _ = h.Write([]byte(c.key))
	_, _ = h.Write([]byte{byte(c.openings), byte(c.openings >> 8)})
	return d + time.Duration(float64(d/5)*float64(h.Sum64()%1024)/1024)
}

func (c *circuit) obeyed(o Outcome) time.Duration { return min(o.retryAfter, c.limits.MostRetryAfter) }

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
