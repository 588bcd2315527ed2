package connection

import (
	"hash/fnv"
	"math"
	"strings"
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
)

// Waiting times after failures.
const (
	transientFirst = time.Second
	transientMost  = 5 * time.Minute
	// pluginMost applies while a plugin is down: the hub restarts it and reports when
	// (RetryAfter), so grants need not wait longer than that.
	pluginMost   = 2 * time.Second
	blockedFirst = 5 * time.Minute
	blockedMost  = 6 * time.Hour
	// afterExpiryGrace keeps clear of the clock of services that refuse a
	// renewal before the expiry.
	afterExpiryGrace = time.Second
	// shortestRound bounds how often a grant is renewed, also where a service reports a
	// token lifetime of zero.
	shortestRound = time.Second
	// shortFirst is where the waiting times begin after a token of no usable life: 4 s.
	shortFirst = 2
)

// PluginCodes is the prefix of the codes of plugin failures, for which no request reached
// a service.
const PluginCodes = "plugin_"

// NextDue returns when a healthy connection is to be renewed; zero is never,
// because it needs no renewal or because there is nothing to renew it with. It is
// never before now, and at least shortestRound after the token set was obtained.
// A known end that has passed does not stop it: see canAsk.
func (c Connection) NextDue(now time.Time) time.Time {
	if !c.canAsk() {
		return time.Time{}
	}
	due := earliest(c.windowDue(), c.keepAliveDue())
	if every := c.Policy.Window.Every; every > 0 {
		due = earliest(due, c.Tokens.ObtainedAt.Add(every-c.jitter(every/10)))
	}
	if due.IsZero() {
		return time.Time{}
	}
	floor := c.Tokens.ObtainedAt.Add(shortestRound)
	if n := c.Tokens.Short; n > 0 { // the service gives tokens that are over at once
		floor = latest(floor, c.RenewedAt.Add(c.backoff(provider.Transient, n+shortFirst)))
	}
	if c.window() == provider.RenewAfterExpiry { // before any other rule
		end := c.Tokens.ExpiresAt
		if end.IsZero() {
			return time.Time{}
		}
		floor = latest(floor, end.Add(afterExpiryGrace+c.jitter(afterExpiryGrace)))
	}
	return latest(latest(due, floor), now)
}

// windowDue is when the renew window of the access token opens; zero if the window
// does not depend on it. Before the expiry the due time lies between twice the
// margin and the margin: the jitter never eats into the margin.
func (c Connection) windowDue() time.Time {
	end := c.Tokens.ExpiresAt
	if end.IsZero() {
		return time.Time{}
	}
	switch c.window() {
	case provider.RenewOnDemand:
		return time.Time{}
	case provider.RenewAfterExpiry:
		return end
	default:
		margin := c.Policy.Margin(c.Tokens.Lifetime())
		return end.Add(-margin - c.jitter(margin))
	}
}

// keepAliveDue is when an unused refresh token must be used so that it does not
// expire; zero if it need not: at four fifths of its idle life, or of its absolute
// life where a renewal brings a new one.
func (c Connection) keepAliveDue() time.Time {
	every := c.Policy.Window.KeepAlive
	if idle := c.Policy.Lifetimes.RefreshTokenIdle; idle > 0 && (every <= 0 || every > idle*4/5) {
		every = idle * 4 / 5
	}
	if c.Tokens.RefreshToken == "" {
		return time.Time{}
	}
	// A lifetime that the service reports for this token takes precedence.
	if end := c.Tokens.RefreshExpiresAt; !end.IsZero() && (every > 0 || c.Policy.Rotates()) {
		life := max(0, end.Sub(c.Tokens.ObtainedAt)) * 4 / 5
		if every <= 0 {
			every = life
		}
		every = min(every, life)
	}
	if every <= 0 {
		return time.Time{}
	}
	return c.Tokens.ObtainedAt.Add(every - c.jitter(every/10))
}

// earliest is the earlier of two times; zero is never.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
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
	switch {
	case kind == provider.Blocked, kind == provider.Internal && c.Grant == provider.GrantLogin: // it may have been a wrong login
		first, most = blockedFirst, blockedMost
	case kind == provider.Transient && c.Failure != nil && strings.HasPrefix(c.Failure.Code, PluginCodes):
		most = pluginMost
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

// Enough reports whether the access token is valid for at least minTTL from now.
func (c Connection) Enough(now time.Time, minTTL time.Duration) bool {
	if !c.Tokens.Valid(now) {
		return false
	}
	return c.Tokens.ExpiresAt.IsZero() || c.Tokens.ExpiresAt.Sub(now) >= c.MinTTL(minTTL)
}

// EndsWithRenewal reports whether the service invalidates the access token when it issues
// the next one: during a renewal it is unknown whether it is still valid.
func (c Connection) EndsWithRenewal() bool {
	return c.Policy.Rotation.Kind == provider.RotationRotatesRevokesAccess
}

// LongEnoughFor is how long the access token will have at least minTTL left, at
// most the given time: then a process that waits has to be served anew. It is a
// second at least, for a renewal that fails leaves the token as it is.
func (c Connection) LongEnoughFor(now time.Time, minTTL, most time.Duration) time.Duration {
	if c.Tokens.ExpiresAt.IsZero() {
		return most
	}
	return max(time.Second, min(most, c.Tokens.ExpiresAt.Add(-c.MinTTL(minTTL)).Sub(now)+time.Millisecond))
}

// MayRenew reports whether a renewal may begin now: there is a credential to send, the
// renew window is open, and no waiting time is running. The second result is when to try
// again if it may not; zero if never.
func (c Connection) MayRenew(now time.Time) (bool, time.Time) {
	if !c.canAsk() {
		return false, time.Time{}
	}
	if c.window() == provider.RenewAfterExpiry && c.Tokens.Valid(now) {
		return false, c.Tokens.ExpiresAt
	}
	if (c.Failure != nil || c.Tokens.Short > 0) && now.Before(c.Due) {
		return false, c.Due
	}
	return true, time.Time{}
}

// MayRenewNow reports whether a renewal that a caller requests may begin now: waiting
// times do not count, but a request that may still be answered does, and so does a refused
// login: services lock accounts after a few of them. The second result is as MayRenew's.
func (c Connection) MayRenewNow(now time.Time) (bool, time.Time) {
	if !c.Renewable(now) {
		return false, time.Time{}
	}
	if f := c.Failure; f != nil && c.Grant == provider.GrantLogin && f.Kind != provider.Transient && now.Before(c.Due) {
		return false, c.Due
	}
	if f := c.Failure; f != nil && now.Before(f.AnswerableUntil) {
		return false, f.AnswerableUntil
	}
	return true, time.Time{}
}
