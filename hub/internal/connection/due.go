package connection

import (
	"hash/fnv"
	"math"
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
)

// Waiting times after failures.
const (
	transientFirst = time.Second
	transientMost  = 5 * time.Minute
	blockedFirst   = 5 * time.Minute
	blockedMost    = 6 * time.Hour
	// afterExpiryGrace keeps clear of the clock of services that refuse a
	// renewal before the expiry.
	afterExpiryGrace = time.Second
)

// NextDue returns when a connection that is well is to be renewed; zero is never.
func (c Connection) NextDue(now time.Time) time.Time {
	if !c.Renewable(now) {
		return time.Time{}
	}
	t := c.Tokens
	var due time.Time
	sooner := func(at time.Time) {
		if !at.IsZero() && (due.IsZero() || at.Before(due)) {
			due = at
		}
	}
	switch c.Policy.Window.Kind {
	case provider.RenewOnDemand:
	case provider.RenewAfterExpiry:
		if !t.ExpiresAt.IsZero() {
			sooner(t.ExpiresAt.Add(afterExpiryGrace))
		}
	default:
		if !t.ExpiresAt.IsZero() {
			margin := c.Policy.Margin(t.Lifetime())
			sooner(t.ExpiresAt.Add(-margin - c.jitter(margin)))
		}
	}
	if every := c.Policy.Window.Every; every > 0 {
		sooner(t.ObtainedAt.Add(every - c.jitter(every/10)))
	}
	sooner(c.keepAliveDue())
	if !due.IsZero() && due.Before(now) {
		return now
	}
	return due
}

// keepAliveDue is when an unused refresh token must be used so that it does not
// expire; zero if it need not.
func (c Connection) keepAliveDue() time.Time {
	every := c.Policy.Window.KeepAlive
	idle := c.Policy.Lifetimes.RefreshTokenIdle
	if idle > 0 && (every == 0 || every > idle*4/5) {
		every = idle * 4 / 5
	}
	if every <= 0 || c.Tokens.RefreshToken == "" {
		return time.Time{}
	}
	// A service that shortened this token's life is believed.
	if end := c.Tokens.RefreshExpiresAt; !end.IsZero() {
		every = min(every, end.Sub(c.Tokens.ObtainedAt)*4/5)
	}
	return c.Tokens.ObtainedAt.Add(every - c.jitter(every/10))
}

// jitter spreads renewals: a share of most that is fixed for a connection and
// its generation, so that every replica computes the same.
func (c Connection) jitter(most time.Duration) time.Duration {
	h := fnv.New64a()
	_, _ = h.Write([]byte(c.ID))
	_, _ = h.Write([]byte{byte(c.Generation), byte(c.Generation >> 8), byte(c.Generation >> 16)})
	if f := c.Failure; f != nil {
		_, _ = h.Write([]byte{byte(f.Count)})
	}
	return time.Duration(float64(most) * float64(h.Sum64()%1024) / 1024)
}

// backoff is how long to wait after the count'th failure in a row of a kind.
func (c Connection) backoff(kind provider.Kind, count int) time.Duration {
	first, most := transientFirst, transientMost
	if kind == provider.Blocked {
		first, most = blockedFirst, blockedMost
	}
	d := most
	if count < 20 {
		d = min(most, time.Duration(float64(first)*math.Pow(2, float64(count-1))))
	}
	return d + c.jitter(d/5)
}

// MinTTL bounds how much life a process may ask for: at most half of the
// token's whole life, else a short-lived token would be renewed at every pull.
func (c Connection) MinTTL(wanted time.Duration) time.Duration {
	if life := c.Tokens.Lifetime(); life > 0 {
		return min(wanted, life/2)
	}
	return wanted
}

// Enough reports whether the access token lives at least minTTL from now.
func (c Connection) Enough(now time.Time, minTTL time.Duration) bool {
	if !c.Tokens.Valid(now) {
		return false
	}
	return c.Tokens.ExpiresAt.IsZero() || c.Tokens.ExpiresAt.Sub(now) >= c.MinTTL(minTTL)
}

// MayRenew reports whether a renewal may begin now on demand: the service could
// answer it, wants it at this time, and no waiting time is running. The second
// result is when to ask again if it may not; zero if never.
func (c Connection) MayRenew(now time.Time) (bool, time.Time) {
	if !c.Renewable(now) {
		return false, time.Time{}
	}
	if c.Policy.Window.Kind == provider.RenewAfterExpiry && c.Tokens.Valid(now) {
		return false, c.Tokens.ExpiresAt
	}
	if c.Failure != nil && now.Before(c.Due) {
		return false, c.Due
	}
	return true, time.Time{}
}
