package endpoint

import (
	"cmp"
	"time"

	"golang.org/x/time/rate"
)

// Limits bound the requests to one endpoint. Zero values get the defaults that each field
// names.
type Limits struct {
	// InFlight bounds requests at one time; 64.
	InFlight int
	// PerSecond bounds requests in a second, evenly spaced; 0 is no bound.
	PerSecond float64
	// MaxWait is the longest wait for a slot by PerSecond; a request that would wait longer is
	// rejected with a *ClosedError; 10 s.
	MaxWait time.Duration
	// Failures in a row open the circuit; 5.
	Failures int
	// Throttled is how many grants in a row must be answered 429 until it is taken for
	// the endpoint's own; 3.
	Throttled int
	// FirstOpen and MostOpen bound how long the circuit is open; 5 s and 5 min. Between
	// them it is a quarter of the time that the outage has lasted, so that a recovery is
	// detected soon. Up to a fifth is added as jitter.
	FirstOpen, MostOpen time.Duration
	// MostRetryAfter bounds how long a Retry-After is obeyed; 1 h.
	MostRetryAfter time.Duration
}

func (l Limits) withDefaults() Limits {
	l.InFlight = max(1, cmp.Or(l.InFlight, 64))
	l.PerSecond = max(0, l.PerSecond)
	l.MaxWait = cmp.Or(l.MaxWait, 10*time.Second)
	l.Failures = max(1, cmp.Or(l.Failures, 5))
	l.Throttled = max(1, cmp.Or(l.Throttled, 3))
	l.FirstOpen = cmp.Or(l.FirstOpen, 5*time.Second)
	l.MostOpen = max(l.FirstOpen, cmp.Or(l.MostOpen, 5*time.Minute))
	l.MostRetryAfter = cmp.Or(l.MostRetryAfter, time.Hour)
	return l
}

// rate gives out slots one by one, so that requests are evenly spaced.
func (l Limits) rate() *rate.Limiter {
	if l.PerSecond <= 0 {
		return rate.NewLimiter(rate.Inf, 1)
	}
	return rate.NewLimiter(rate.Limit(l.PerSecond), 1)
}

// interval is the time between two requests; zero without a rate.
func (l Limits) interval() time.Duration {
	if l.PerSecond <= 0 {
		return 0
	}
	return time.Duration(float64(time.Second) / l.PerSecond)
}

// unlearnedInFlight is the room of a service whose endpoint is not known yet.
const unlearnedInFlight = 8
