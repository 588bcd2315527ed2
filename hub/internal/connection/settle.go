package connection

import (
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
)

// SettleAfter is the time from which an intent without a known reply may be
// given up and the renewal tried again. mine is set if this replica began it:
// then its own journal has been read, and nothing more can be learned. A foreign
// one may still answer from the journal of its owner: where a repeat is safe,
// its deadline is waited for; where it is not, the takeover time, for sending a
// spent refresh token can make the service revoke the whole family.
func SettleAfter(p Policy, mine bool, startedAt, deadline time.Time, takeover time.Duration) time.Time {
	switch {
	case mine:
		return startedAt
	case p.Rotation.RepeatSafe, p.Rotation.Kind == "", p.Rotation.Kind == provider.RotationNone:
		return deadline
	default:
		return startedAt.Add(takeover)
	}
}
