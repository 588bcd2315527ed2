package connection

import (
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
)

// OpenIntent is what is known of a renewal that was begun and whose outcome is not
// saved.
type OpenIntent struct {
	Generation int64
	// Mine is set if this replica began it: then its own journal has been read, and
	// nothing more can be learned from there by waiting.
	Mine bool
	// Unsent is set if this replica has not sent the request.
	Unsent bool
	// Replied is set if a reply was found, in the journal or in the intent's row.
	Replied bool
	// StartedAt is when it began. The request is not written after SendBy, and its
	// reply is not read after Deadline.
	StartedAt, SendBy, Deadline time.Time
}

// Settlement is what to do about an open intent.
type Settlement string

// The settlements.
const (
	// SettleDrop discards it: a later generation exists, so its outcome is saved.
	SettleDrop Settlement = "drop"
	// SettleFinish runs the operation again on its own replies.
	SettleFinish Settlement = "finish"
	// SettleWait leaves it to its owner for now: OwnerAwaited.
	SettleWait Settlement = "wait"
	// SettleTryOnce abandons it and renews again; that answer is final.
	SettleTryOnce Settlement = "try_once"
)

// Settle decides about an open intent; with SettleWait, until when to wait. Where a
// repeat is safe, only the time in which its owner may still send is waited for. Where
// it is not, sending a spent refresh token can make the service revoke the whole family
// (RFC 9700 section 4.14.2). So the one try that is left is not made while the first
// request may still be answered, nor, for an intent of another replica whose journal
// may hold the answer, before the takeover time is over, nor while the access token
// makes a try unnecessary. A clock that was set back does not make the wait longer.
// An intent of a later generation than the row's was put back after a restore: what was
// sent may still be answered, so no older refresh token goes out in that time.
func (c Connection) Settle(now time.Time, i OpenIntent, takeover time.Duration) (Settlement, time.Time) {
	switch {
	case i.Generation < c.Generation:
		return SettleDrop, time.Time{}
	case i.Replied && i.Generation == c.Generation:
		return SettleFinish, time.Time{}
	case i.Mine && i.Unsent:
		return SettleTryOnce, time.Time{}
	}
	until := c.settleAfter(now, i, takeover)
	if i.StartedAt.After(now) {
		until = until.Add(now.Sub(i.StartedAt))
	}
	later := i.Generation > c.Generation
	if !later && !c.repeatable(now, i.StartedAt) {
		until = latest(until, c.lastTryAt(now))
	}
	switch {
	case now.Before(until):
		return SettleWait, until
	case later:
		return SettleDrop, time.Time{}
	}
	return SettleTryOnce, time.Time{}
}

// replayShare is the share of the time for a reply that the owner of an intent may need
// after its deadline to save what it has read.
const replayShare = 5

// settleAfter is the time from which an intent without a known reply may be abandoned and
// the renewal retried, whatever the access token allows.
func (c Connection) settleAfter(now time.Time, i OpenIntent, takeover time.Duration) time.Time {
	switch {
	case c.repeatable(now, i.StartedAt) && i.Mine:
		return i.StartedAt
	case c.repeatable(now, i.StartedAt):
		return i.SendBy
	case i.Mine:
		return i.Deadline
	default:
		replay := i.Deadline.Sub(i.SendBy) / replayShare
		return latest(i.StartedAt.Add(takeover), i.Deadline.Add(replay))
	}
}

// repeatable reports whether a renewal that was sent at a time may be sent again with
// the same refresh token: always, or while the grace of a replaced one lasts.
func (c Connection) repeatable(now, sent time.Time) bool {
	r := c.Policy.Rotation
	return c.Policy.RepeatSafe() || r.Kind == provider.RotationRotatesWithGrace && now.Before(sent.Add(r.Grace))
}

// lastTryAt is when a try that can end the grant is to be made at the latest: half of
// the margin before the access token expires, spread. It is zero where the access
// token gains nothing by waiting: it is over, it has no known end, or the service
// revokes it with the refresh token.
func (c Connection) lastTryAt(now time.Time) time.Time {
	t := c.Tokens
	if !t.Valid(now) || t.ExpiresAt.IsZero() || c.EndsWithRenewal() {
		return time.Time{}
	}
	margin := c.Policy.Margin(t.Lifetime()) / 2
	at := t.ExpiresAt.Add(-margin - c.jitter(margin/4))
	if end := t.RefreshExpiresAt; !end.IsZero() { // and well before the refresh token's own end
		at = earliest(at, now.Add(end.Sub(now)/2))
	}
	return at
}
