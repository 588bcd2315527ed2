package connection

import (
	"maps"
	"slices"
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
)

// Granted gives a connection the token set of an authorisation, which begins a new
// lineage. asked is when the token request was about to be sent.
func (c Connection) Granted(now, asked time.Time, token provider.Token, account provider.Account, requested []string) Connection {
	c.Tokens = newTokens(c.Policy, asked, token, TokenSet{})
	c.Generation++
	c.Lineage = lineageOf(c, now)
	c.State = StateActive
	c.Account = account
	c.RequestedScopes = slices.Clone(requested)
	c.AuthorizedAt = now
	return c.well(now)
}

// Renewed gives a connection its next token set. asked is when the request was
// about to be sent. What the reply left out is kept: the refresh token, the
// scopes, the extra fields. A paused connection keeps the set and stays paused; one
// whose grant was given back, or never made, stays as it is.
func (c Connection) Renewed(now, asked time.Time, token provider.Token) Connection {
	if c.State == StatePending || c.State == StateRevoked {
		return c
	}
	c.Tokens = newTokens(c.Policy, asked, token, c.Tokens)
	c.Generation++
	if c.State == StateEnded {
		c.State = StateActive
	}
	return c.well(now)
}

func (c Connection) well(now time.Time) Connection {
	c.Failure, c.Cause = nil, ""
	c.RenewedAt = now
	c.UpdatedAt = now
	c.Due = c.NextDue(now)
	return c
}

func newTokens(p Policy, asked time.Time, token provider.Token, old TokenSet) TokenSet {
	t := TokenSet{
		AccessToken: token.AccessToken, TokenType: token.TokenType, RefreshToken: token.RefreshToken,
		IDToken: token.IDToken, Scopes: slices.Clone(token.Scopes), Extra: token.Extra, ObtainedAt: asked,
	}
	if t.Scopes == nil {
		t.Scopes = old.Scopes
	}
	if t.TokenType == "" {
		t.TokenType = old.TokenType
	}
	t.Extra = mergeExtra(old.Extra, t.Extra)
	switch {
	case token.ExpiresIn != nil:
		t.ExpiresAt = asked.Add(*token.ExpiresIn)
	case p.Lifetimes.AccessToken > 0:
		t.ExpiresAt = asked.Add(p.Lifetimes.AccessToken)
	}
	if t.RefreshToken == "" {
		t.RefreshToken, t.RefreshExpiresAt = old.RefreshToken, old.RefreshExpiresAt
	}
	switch {
	case token.RefreshExpiresIn != nil:
		t.RefreshExpiresAt = asked.Add(*token.RefreshExpiresIn)
	case token.RefreshToken != "" && p.Lifetimes.RefreshToken > 0:
		t.RefreshExpiresAt = asked.Add(p.Lifetimes.RefreshToken)
	}
	return t
}

func mergeExtra(old, fresh map[string]any) map[string]any {
	if len(old) == 0 {
		return fresh
	}
	merged := make(map[string]any, len(old)+len(fresh))
	maps.Copy(merged, old)
	maps.Copy(merged, fresh)
	return merged
}

// Paused stops renewal and hands out no tokens until Resumed. What it suffered from is
// still shown, and nobody is told of it any more.
func (c Connection) Paused(now time.Time) Connection {
	if c.State == StateActive {
		c.State, c.Due, c.Cause, c.UpdatedAt = StatePaused, time.Time{}, "", now
	}
	return c
}

// Resumed takes a paused connection up again, as if nothing had failed: somebody
// has looked at it.
func (c Connection) Resumed(now time.Time) Connection {
	if c.State == StatePaused {
		c.State, c.Failure, c.Cause, c.UpdatedAt = StateActive, nil, "", now
		c.Due = c.NextDue(now)
	}
	return c
}

// Revoked gives the grant back: its tokens are forgotten. The generation grows, so
// that a renewal in flight cannot bring them back.
func (c Connection) Revoked(now time.Time) Connection {
	if c.State == StateRevoked {
		return c
	}
	c.State, c.Due, c.Tokens, c.Failure, c.Cause, c.UpdatedAt = StateRevoked, time.Time{}, TokenSet{}, nil, "", now
	c.Lineage = ""
	c.Generation++
	return c
}

// WithPolicy applies an edited service to a connection. What was blocked is tried
// again at once: the operator may have mended it.
func (c Connection) WithPolicy(now time.Time, p Policy) Connection {
	c.Policy = p
	if c.State != StateActive {
		return c
	}
	if c.Failure == nil || c.Failure.Kind == provider.Blocked {
		c.Failure, c.Cause = nil, ""
		c.Due = c.NextDue(now)
	}
	return c
}
