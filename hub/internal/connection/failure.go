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
	if c.Impersonal() && failure.Kind == provider.ReauthorizationRequired { // only the operator can do something about it
		blocked := *failure
		blocked.Kind, failure = provider.Blocked, &blocked
	}
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

// Impersonal reports whether the hub obtains the tokens by what it has of its service
// alone, so that no person can bring a grant back.
func (c Connection) Impersonal() bool {
	return c.Grant == provider.GrantClientCredentials || c.Grant == provider.GrantAssertion
}

// Lost is what is known of a request that was sent and got no reply of the service.
type Lost struct {
	// SentAt is when it was about to be sent.
	SentAt time.Time
	// AnswerableUntil is until when the service may still be working on it; zero if it
	// is not any more.
	AnswerableUntil time.Time
	// OnTheWay is set if a gateway answered in place of the service: an outage, during
	// which the service may have processed the request.
	OnTheWay bool
}

// ReplyLost notes a renewal that was sent and got no reply of the service: Failed, and
// uncertain if the service may have rotated the refresh token. It is then retried once
// and the answer is final, but not while the service may still be processing the first
// request, and not while the access token is valid without it.
func (c Connection) ReplyLost(now time.Time, sent int64, failure *provider.Error, lost Lost) Connection {
	if c.Policy.RepeatSafe() {
		return c.Failed(now, sent, failure)
	}
	told := *failure
	if !lost.OnTheWay {
		told.Kind, told.Code = provider.Transient, "uncertain"
		told.Message = "the request was sent, but no reply arrived, so the service may have rotated the refresh token: " + failure.Message
	}
	after := c.uncertain(now, sent, &told, !lost.OnTheWay)
	if after.State != StateActive || after.Failure == c.Failure {
		return after
	}
	if due := now.Add(after.backoff(after.Failure.Kind, after.Failure.Count)); c.repeatable(due, lost.SentAt) {
		after.Due = due // the replaced refresh token is still good then
		return after
	}
	after.Failure.AnswerableUntil = lost.AnswerableUntil
	after.Due = latest(after.Due, latest(lost.AnswerableUntil, c.lastTryAt(now)))
	return after
}

// OwnerAwaited notes that an earlier renewal has no known outcome, and until when to wait
// for it. mine is set for a renewal of this replica. See Settle.
func (c Connection) OwnerAwaited(now time.Time, sent int64, until time.Time, mine bool) Connection {
	message := "another replica stopped in the middle of a renewal; its journal may hold the new tokens, so it is waited for"
	if mine {
		message = "the hub was stopped in the middle of a renewal; the service may still be answering it, so it is not asked again yet"
	}
	after := c.uncertain(now, sent, &provider.Error{
		Kind: provider.Transient, Code: "uncertain", RetryAfter: max(until.Sub(now), time.Millisecond), Message: message,
	}, true)
	if after.State == StateActive && after.Failure != c.Failure {
		after.Due = after.Failure.RetryAfter
	}
	return after
}

func (c Connection) uncertain(now time.Time, sent int64, failure *provider.Error, uncertain bool) Connection {
	after := c.Failed(now, sent, failure)
	if uncertain && after.State == StateActive && after.Failure != c.Failure {
		after.Failure.Uncertain, after.Failure.Suspect = true, false
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
	if f := c.Failure; f != nil {
		due = latest(due, latest(f.RetryAfter, f.AnswerableUntil))
	}
	c.Due, c.UpdatedAt = due, now
	return c
}

// Bounds of the time over which the grants of an endpoint that was down are retried.
const (
	leastSpread = 5 * time.Second
	mostSpread  = time.Minute
)

// next is the failure after the one that c has.
func (c Connection) next(now time.Time, failure *provider.Error) *Failure {
	f := Failure{
		Kind: failure.Kind, Code: failure.Code, Message: failure.Error(), Remedy: failure.Remedy, Status: failure.HTTPStatus,
		TooEarly: failure.TooEarly, At: now, Since: now, Count: 1, Same: 1, SameSince: now,
	}
	if f.Kind == provider.Denied { // no request was sent, so this is no denial: the operator has to act
		f.Kind = provider.Blocked
	}
	last := c.Trouble()
	if last != nil {
		f.Count, f.Since = last.Count+1, last.Since
		if f.equal(last) {
			f.Same, f.SameSince = last.Same+1, last.SameSince
		}
	}
	if failure.RetryAfter > 0 {
		f.RetryAfter = now.Add(min(failure.RetryAfter, mostRetryAfter))
	}
	// A failure that only a reply can resolve stays uncertain.
	passes := f.Kind == provider.Transient || f.Kind == provider.Internal
	if passes && last != nil {
		f.Uncertain, f.AnswerableUntil = last.Uncertain, last.AnswerableUntil
	}
	f.Suspect = last != nil && last.Suspect && (passes && !f.Uncertain || f.equal(last))
	return &f
}

// afterFailure is when to try again. The one try that is left to an uncertain grant is
// not made while its access token is valid without it.
func (c Connection) afterFailure(now time.Time) time.Time {
	due := now.Add(c.backoff(c.Failure.Kind, c.Failure.Count))
	if !c.Policy.RepeatSafe() {
		due = latest(due, c.Failure.AnswerableUntil)
		if c.Failure.Uncertain {
			due = latest(due, c.lastTryAt(now))
		}
	}
	if c.Failure.RetryAfter.After(due) {
		return c.Failure.RetryAfter
	}
	return due
}
