package connection

import (
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
)

// mostRetryAfter bounds how long a service's Retry-After is obeyed for a grant: a
// wrong one must not put it to sleep for ever.
const mostRetryAfter = 24 * time.Hour

// Failed notes a renewal that did not succeed. sent is the generation whose
// tokens were used: if it is not the current one, another renewal has won and
// nothing changes. Nothing changes either while no grant is in force, except that
// a paused one can end.
func (c Connection) Failed(now time.Time, sent int64, failure *provider.Error) Connection {
	ends := failure.Kind == provider.ReauthorizationRequired
	if sent != c.Generation || (c.State != StateActive && (c.State != StatePaused || !ends)) {
		return c
	}
	c.Failure, c.UpdatedAt = c.next(now, failure), now
	if ends {
		c.State, c.Due = StateEnded, time.Time{}
		return c
	}
	c.Due = c.afterFailure(now)
	return c
}

// ReplyLost notes a renewal that was sent and got no reply: Failed, and uncertain
// if the service may have rotated the refresh token, for then nobody knows. The
// rule for that is to try once more and to believe the answer.
func (c Connection) ReplyLost(now time.Time, sent int64, failure *provider.Error) Connection {
	if c.Policy.RepeatSafe() {
		return c.Failed(now, sent, failure)
	}
	lost := *failure
	lost.Kind, lost.Code = provider.Transient, "uncertain"
	lost.Message = "the request was sent, but no reply arrived, so the service may have rotated the refresh token: " + failure.Message
	return c.uncertain(now, sent, &lost)
}

// OwnerAwaited notes that the renewal of another replica is not known to have
// ended, and that its reply is waited for until a time. See Settle.
func (c Connection) OwnerAwaited(now time.Time, sent int64, until time.Time) Connection {
	return c.uncertain(now, sent, &provider.Error{
		Kind: provider.Transient, Code: "uncertain", RetryAfter: max(until.Sub(now), time.Millisecond),
		Message: "another replica stopped in the middle of a renewal; its journal may hold the new tokens, so it is waited for",
	})
}

func (c Connection) uncertain(now time.Time, sent int64, failure *provider.Error) Connection {
	after := c.Failed(now, sent, failure)
	if after.State == StateActive && after.Failure != c.Failure {
		after.Failure.Uncertain = true
	}
	return after
}

// Deferred moves the due time behind until, spread, because the service's endpoint
// is left alone until then. That is no failure of the grant, so none is counted.
func (c Connection) Deferred(now, until time.Time) Connection {
	if c.State != StateActive {
		return c
	}
	if until.Before(now) {
		until = now
	}
	spread := min(max(until.Sub(now)/2, leastSpread), mostSpread)
	due := until.Add(c.jitter(spread))
	if f := c.Failure; f != nil && f.RetryAfter.After(due) {
		due = f.RetryAfter
	}
	c.Due, c.UpdatedAt = due, now
	return c
}

// Bounds of the time over which the grants of an endpoint that was down come back.
const (
	leastSpread = 5 * time.Second
	mostSpread  = time.Minute
)

// next is the failure after the one that c has.
func (c Connection) next(now time.Time, failure *provider.Error) *Failure {
	f := Failure{
		Kind: failure.Kind, Code: failure.Code, Message: failure.Error(), Remedy: failure.Remedy,
		At: now, Since: now, Count: 1,
	}
	if c.Failure != nil {
		f.Count, f.Since = c.Failure.Count+1, c.Failure.Since
	}
	if f.Kind == provider.Denied { // nobody was asked, so nobody denied: somebody has to look
		f.Kind = provider.Blocked
	}
	if failure.RetryAfter > 0 {
		f.RetryAfter = now.Add(min(failure.RetryAfter, mostRetryAfter))
	}
	// Until a reply says so, nobody knows more than before.
	passes := f.Kind == provider.Transient || f.Kind == provider.Internal
	f.Uncertain = passes && c.Failure != nil && c.Failure.Uncertain
	return &f
}

// afterFailure is when to try again.
func (c Connection) afterFailure(now time.Time) time.Time {
	due := now.Add(c.backoff(c.Failure.Kind, c.Failure.Count))
	if c.Failure.RetryAfter.After(due) {
		return c.Failure.RetryAfter
	}
	return due
}
