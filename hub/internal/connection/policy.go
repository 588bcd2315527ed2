package connection

import (
	"math"
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
)

// Policy is the part of a description that the rules of renewal read.
type Policy struct {
	AutoRenew provider.AutoRenew   `json:"auto_renew"`
	Window    provider.RenewWindow `json:"window,omitzero"`
	Rotation  provider.Rotation    `json:"rotation,omitzero"`
	Lifetimes provider.Lifetimes   `json:"lifetimes,omitzero"`
}

// PolicyOf takes the policy of connections with a grant from a description. Where the hub
// can obtain tokens again by the same grant, it does so, and a lost reply costs nothing:
// what was sent stays good. A static key is renewed by a person.
func PolicyOf(d *provider.Description, grant provider.Grant) Policy {
	p := Policy{AutoRenew: d.AutoRenew, Window: d.RenewWindow, Rotation: d.Rotation, Lifetimes: d.Lifetimes}
	switch {
	case grant.Reissues():
		p.AutoRenew, p.Rotation.RepeatSafe = provider.AutoRenewReissue, true
		p.Lifetimes.RefreshToken, p.Lifetimes.RefreshTokenIdle, p.Window.KeepAlive = 0, 0, 0
	case grant == provider.GrantStatic:
		p.AutoRenew, p.Rotation, p.Window = provider.AutoRenewNone, provider.Rotation{}, provider.RenewWindow{}
	}
	return p
}

// Bounds of the margin that the hub chooses when a provider names none: a tenth
// of the token's life, so that an outage of that length is survived.
const (
	marginShare = 10
	maxMargin   = 24 * time.Hour
)

// Margin is how long before its expiry a token with the given life is renewed.
// It never takes more than half of the life.
func (p Policy) Margin(life time.Duration) time.Duration {
	if p.Window.Margin > 0 {
		return min(p.Window.Margin, life/2)
	}
	return min(life/marginShare, maxMargin)
}

// RepeatSafe reports whether a renewal whose reply was lost may be sent again with
// the same refresh token.
func (p Policy) RepeatSafe() bool { return p.Rotation.RepeatSafe || !p.Rotates() }

// Rotates reports whether a renewal replaces the refresh token, so that an older
// token set is of no use any more.
func (p Policy) Rotates() bool {
	return p.Rotation.Kind != "" && p.Rotation.Kind != provider.RotationNone
}

// Renewable reports whether the service could issue the next token set without a person
// at the time now, according to the known expiry times.
func (c Connection) Renewable(now time.Time) bool {
	if c.State != StateActive {
		return false
	}
	switch c.Policy.AutoRenew {
	case provider.AutoRenewRefreshToken:
		return c.Tokens.RefreshToken != "" && alive(c.Tokens.RefreshExpiresAt, now)
	case provider.AutoRenewProlong, provider.AutoRenewExchange, provider.AutoRenewSliding:
		return c.Tokens.Valid(now)
	case provider.AutoRenewReissue:
		return true
	default:
		return false
	}
}

// canAsk reports whether there is a credential to renew with. Known expiry times do not
// count: they come from a description or from a clock that may be wrong, and only an
// answer of the service ends a grant. A request with an expired token costs one round
// trip, after which the grant has ended or is renewed.
func (c Connection) canAsk() bool {
	if c.State != StateActive {
		return false
	}
	switch c.Policy.AutoRenew {
	case provider.AutoRenewRefreshToken:
		return c.Tokens.RefreshToken != ""
	case provider.AutoRenewProlong, provider.AutoRenewExchange, provider.AutoRenewSliding:
		return c.Tokens.AccessToken != ""
	case provider.AutoRenewReissue:
		return true
	default:
		return false
	}
}

// BornDead reports whether a grant came without the refresh token that its
// service needs for renewal: it will end with its access token.
func (c Connection) BornDead() bool {
	return c.State == StateActive && c.Policy.AutoRenew == provider.AutoRenewRefreshToken &&
		c.Tokens.RefreshToken == "" && !c.Tokens.ExpiresAt.IsZero()
}

// MissingScopes are the requested scopes that were not granted; nil if the
// service did not say what it granted.
func (c Connection) MissingScopes() []string {
	if c.Tokens.Scopes == nil {
		return nil
	}
	var missing []string
	for _, want := range c.RequestedScopes {
		if !(provider.Token{Scopes: c.Tokens.Scopes}).HasScopes([]string{want}) {
			missing = append(missing, want)
		}
	}
	return missing
}

func alive(end, now time.Time) bool { return end.IsZero() || now.Before(end) }

// always is the end of what can be renewed without limit.
var always = time.UnixMilli(math.MaxInt64)

// RenewableUntil is the moment from which Renewable is false, if nothing else
// happens: the zero time for never renewable, a time beyond all others for always.
func (c Connection) RenewableUntil() time.Time {
	end := time.Time{}
	switch c.Policy.AutoRenew {
	case provider.AutoRenewRefreshToken:
		if c.Tokens.RefreshToken == "" {
			return time.Time{}
		}
		end = c.Tokens.RefreshExpiresAt
	case provider.AutoRenewProlong, provider.AutoRenewExchange, provider.AutoRenewSliding:
		if c.Tokens.AccessToken == "" {
			return time.Time{}
		}
		end = c.Tokens.ExpiresAt
	case provider.AutoRenewReissue:
	default:
		return time.Time{}
	}
	if c.State != StateActive {
		return time.Time{}
	}
	if end.IsZero() {
		return always
	}
	return end
}
