package connection

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"
)

// lineageOf names the lineage that a connection's new token set begins. It derives from
// the grant itself, so that a grant whose reply is applied twice has one name; the tokens
// cannot be derived from it.
func lineageOf(c Connection, now time.Time) string {
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "evergrant lineage\x00%s\x00%d\x00%d\x00%d\x00", c.ID, c.Generation, now.UnixNano(), c.Tokens.ObtainedAt.UnixNano())
	for _, token := range []string{c.Tokens.AccessToken, c.Tokens.RefreshToken} {
		sum := sha256.Sum256([]byte(token))
		h.Write(sum[:])
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// Ahead is a token set that is known from elsewhere than the connection's row: a replica
// keeps the newest one that it has received.
type Ahead struct {
	Lineage    string
	Generation int64
	Tokens     TokenSet
	// RenewedAt is when it was received.
	RenewedAt time.Time
}

// Behind reports whether a kept token set is newer than the connection's own, of the same
// lineage: then the row comes from a backup or from a standby that lagged, its refresh
// token is spent, and it must be brought forward before anything is sent.
func (c Connection) Behind(a Ahead) bool {
	return c.Lineage != "" && c.Lineage == a.Lineage && a.Generation > c.Generation && c.Granting()
}

// Granting reports whether the connection has a grant, paused and ended ones among them.
func (c Connection) Granting() bool { return c.State != StatePending && c.State != StateRevoked }

// BroughtForward gives a connection a kept token set that it is Behind, with the
// generation of that set, so that replicas can compare it. A paused connection stays
// paused; one that has ended becomes active again, because it ended on a refresh token
// that was spent. A set that it is not behind changes nothing.
func (c Connection) BroughtForward(now time.Time, a Ahead) Connection {
	if !c.Behind(a) {
		return c
	}
	c.Tokens, c.Generation = a.Tokens, a.Generation
	if c.State == StateEnded {
		c.State = StateActive
	}
	c = c.healthy(now)
	c.RenewedAt = a.RenewedAt
	return c
}
