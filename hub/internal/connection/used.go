package connection

import (
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
)

// Sliding reports whether each use of the access token gives it its whole life again. The
// hub sees only what processes tell it, so the end that it knows is the earliest one.
func (c Connection) Sliding() bool { return c.Policy.AutoRenew == provider.AutoRenewSliding }

// usedAtLeast is the share of a life that has to be gone before a use is noted.
const usedAtLeast = 4

// Used is the connection after its token was handed out to a process, which uses it: a
// sliding one lives on from now. The second result is set if that is worth noting: a quarter
// of the life, or a minute, has gone since the last one.
func (c Connection) Used(now time.Time) (Connection, bool) {
	life := c.Tokens.Lifetime()
	if !c.Sliding() || c.State != StateActive || life <= 0 || !c.Tokens.Valid(now) {
		return c, false
	}
	if now.Sub(c.Tokens.ObtainedAt) < min(life/usedAtLeast, time.Minute) {
		return c, false
	}
	c.Tokens.ObtainedAt, c.Tokens.ExpiresAt = now, now.Add(life)
	if c.Failure == nil {
		c.Due = c.NextDue(now)
	}
	c.UpdatedAt = now
	return c, true
}
