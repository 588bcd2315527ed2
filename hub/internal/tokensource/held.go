package tokensource

import (
	"context"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/tracing"
)

// heldFor is the interval at which a renewal on hold is checked; undecidedFor that of a
// grant which waits for a person's decision, and which the decision renews at once.
const (
	heldFor      = 30 * time.Second
	undecidedFor = time.Hour
)

// heldBack is the message for a pull whose token needs a renewal that is on hold.
var heldBack = map[connection.CauseKind]string{
	connection.CauseClock:    "No token is renewed for the moment, because clocks have stepped; ask again.",
	connection.CauseCopied:   "This token is not renewed, because the hub's data folder looks copied; an administrator has to look at it.",
	connection.CauseRestored: "This token is not renewed for the moment, because the hub's database was restored and is being compared; ask again.",
	connection.CauseBehind:   "This token is not renewed, because it comes from a backup and may be used up; an administrator has to decide about it.",
}

// Now is the time by the database's clock, which all replicas share.
func (s *Source) Now() time.Time { return s.clock.Now() }

// ClockDoubtful reports whether clocks have stepped, so that no renewal begins.
func (s *Source) ClockDoubtful() bool {
	_, doubt := s.clock.Doubt()
	return doubt
}

// holds returns the cause that keeps a connection's renewal on hold; "" if there is none.
func (s *Source) holds(c connection.Connection) connection.CauseKind {
	if s.ClockDoubtful() {
		return connection.CauseClock
	}
	return s.held(c)
}

// knownHeld reports whether a renewal was deferred because of a hold that still applies,
// so that it need not be tried before its due time.
func (s *Source) knownHeld(c connection.Connection, now time.Time) bool {
	why := connection.ParseCause(c.Cause).Kind
	return heldBack[why] != "" && c.Due.After(now) && s.holds(c) == why
}

// holdBack puts a renewal off that may not begin. That is no failure of the grant, and none
// is counted.
func (s *Source) holdBack(ctx context.Context, c connection.Connection, why connection.CauseKind) (connection.Connection, error) {
	tracing.Log(ctx, s.log).Debug("renewal on hold", "connection", c.Name, "cause", string(why))
	now := s.Now()
	wait := heldFor
	if why == connection.CauseBehind {
		wait = undecidedFor
	}
	c = c.Deferred(now, now.Add(wait))
	c.Cause = connection.Cause{Kind: why}.String()
	return c, s.store.Renewals.SaveFailure(ctx, c, c.Generation, "", s.Owner())
}
