package connection

import (
	"errors"
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
)

// PastSet is a token set that another one has replaced.
type PastSet struct {
	Generation int64
	Tokens     TokenSet
}

// Reasons of MayRestore, for people.
var (
	ErrRestoreRotates = errors.New("this service replaces the refresh token at each renewal, so an older token set is spent; the connection has to be authorized again")
	ErrRestoreNoGrant = errors.New("this connection has no grant to restore: it was never authorized, or the grant was given back")
	ErrRestoreUseless = errors.New("neither the access token nor the refresh token of that set can still be good; choose another generation or authorize the connection again")
	ErrRestoreCurrent = errors.New("that generation is the current one or has not been reached yet")
	// ErrRestoreGone is for callers that find no such set.
	ErrRestoreGone = errors.New("that token set is not kept any more; choose another generation or authorize the connection again")
)

// MayRestore reports why a past token set cannot be put back; nil if it can. Where
// the service rotates refresh tokens, an older one is spent, and sending it can
// make the service revoke the whole family (RFC 9700 section 4.14.2), so that is
// never allowed.
func (c Connection) MayRestore(now time.Time, past PastSet) error {
	switch {
	case c.State == StatePending, c.State == StateRevoked:
		return ErrRestoreNoGrant
	case past.Generation >= c.Generation:
		return ErrRestoreCurrent
	case c.Policy.Rotates():
		return ErrRestoreRotates
	case !c.useful(now, past.Tokens):
		return ErrRestoreUseless
	}
	return nil
}

// useful reports whether a token set may serve or renew.
func (c Connection) useful(now time.Time, t TokenSet) bool {
	renews := c.Policy.AutoRenew == provider.AutoRenewRefreshToken && t.RefreshToken != "" && alive(t.RefreshExpiresAt, now)
	return renews || t.Valid(now)
}

// LastGood is the newest past token set that may be put back and differs from the
// current one. past is newest first.
func (c Connection) LastGood(now time.Time, past []PastSet) (PastSet, bool) {
	for _, p := range past {
		same := p.Tokens.RefreshToken == c.Tokens.RefreshToken && p.Tokens.AccessToken == c.Tokens.AccessToken
		if !same && c.MayRestore(now, p) == nil {
			return p, true
		}
	}
	return PastSet{}, false
}

// Restored makes a past token set current, as a new generation, so that a renewal in
// flight cannot overwrite it. It is due soon, because its state is unknown. A paused
// connection stays paused. The caller has checked MayRestore.
func (c Connection) Restored(now time.Time, past PastSet) Connection {
	c.Tokens = past.Tokens
	c.Generation++
	if c.State == StateEnded {
		c.State = StateActive
	}
	c.Failure, c.Cause, c.UpdatedAt = nil, "", now
	c.Due = c.NextDue(now)
	return c
}
