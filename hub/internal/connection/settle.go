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
	// nothing more can be learned by waiting.
	Mine bool
	// Replied is set if a reply was found, in the journal or in the intent's row.
	Replied bool
	// StartedAt and Deadline bound the time of its request.
	StartedAt, Deadline time.Time
}

// Settlement is what to do about an open intent.
type Settlement string

// The settlements.
const (
	// SettleDrop forgets it: another generation is there, so its outcome is saved.
	SettleDrop Settlement = "drop"
	// SettleFinish runs the operation again on its own replies.
	SettleFinish Settlement = "finish"
	// SettleWait leaves it to its owner for now: OwnerAwaited.
	SettleWait Settlement = "wait"
	// SettleTryOnce gives it up, renews again and believes the answer.
	SettleTryOnce Settlement = "try_once"
)

// Settle decides about an open intent; with SettleWait, until when to wait. A
// foreign one may still answer from the journal of its owner: where a repeat is
// safe, its deadline is waited for; where it is not, the takeover time, for sending
// a spent refresh token can make the service revoke the whole family (RFC 9700
// section 4.14.2). A clock that was set back does not make the wait longer than
// that.
func (c Connection) Settle(now time.Time, i OpenIntent, takeover time.Duration) (Settlement, time.Time) {
	switch {
	case i.Generation != c.Generation:
		return SettleDrop, time.Time{}
	case i.Replied:
		return SettleFinish, time.Time{}
	}
	until := SettleAfter(c.Policy, i.Mine, i.StartedAt, i.Deadline, takeover)
	if r := c.Policy.Rotation; r.Kind == provider.RotationRotatesWithGrace && now.Before(i.StartedAt.Add(r.Grace)) && i.Deadline.Before(until) {
		until = i.Deadline // while the old token is still good, a repeat loses nothing
	}
	if i.StartedAt.After(now) {
		until = until.Add(now.Sub(i.StartedAt))
	}
	if now.Before(until) {
		return SettleWait, until
	}
	return SettleTryOnce, time.Time{}
}

// SettleAfter is the time from which an intent without a known reply may be given
// up and the renewal tried again.
func SettleAfter(p Policy, mine bool, startedAt, deadline time.Time, takeover time.Duration) time.Time {
	switch {
	case mine:
		return startedAt
	case p.RepeatSafe():
		return deadline
	default:
		return startedAt.Add(takeover)
	}
}
