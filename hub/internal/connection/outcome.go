package connection

import (
	"maps"
	"slices"
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
)

// Granted gives a connection the token set of an authorization, which begins a new
// lineage. asked is when the token request was about to be sent.
func (c Connection) Granted(now, asked time.Time, token provider.Token, account provider.Account, requested []string) Connection {
	kept := TokenSet{}
	if token.RefreshToken == "" && c.KeepsRefreshToken(account, requested) {
		kept.RefreshToken, kept.RefreshExpiresAt = c.Tokens.RefreshToken, c.Tokens.RefreshExpiresAt
	}
	c.Tokens = newTokens(c.Policy, asked, token, kept)
	c.Generation++
	c.Lineage = lineageOf(c, now)
	c.State = StateActive
	c.Account = account
	c.RequestedScopes = slices.Clone(requested)
	c.AuthorizedAt = now
	return c.healthy(now)
}

// Obtained gives a connection a token set that the hub got without a browser: by a request
// of its own, or from a key that a person entered. fields are what was entered for it, which
// later sets are obtained with; ends is the end that the person knows of, which counts where
// neither the service nor its description names one.
func (c Connection) Obtained(now, asked time.Time, token provider.Token, account provider.Account, requested []string, fields provider.Fields, ends time.Time) Connection {
	if token.ExpiresIn == nil && !ends.IsZero() {
		token.ExpiresIn = new(ends.Sub(asked))
	}
	c = c.Granted(now, asked, token, account, requested)
	c.Tokens.Fields = fields
	return c
}

// WithOptions gives a connection other options of its own. What was blocked is tried again
// at once, as after an edit of its service.
func (c Connection) WithOptions(now time.Time, options map[string]any) Connection {
	c.Options, c.UpdatedAt = options, now
	return c.WithPolicy(now, c.Policy)
}

// KeepsRefreshToken reports whether the connection's refresh token stays good beside an
// authorization that brings none: the service hands one out only once and does not
// replace it, the account is proven to be the same, and the scopes are those that it
// was given for.
func (c Connection) KeepsRefreshToken(account provider.Account, requested []string) bool {
	return c.hasLivingRefreshToken() && !c.Policy.Rotates() && account.ID != "" && account.ID == c.Account.ID &&
		sameScopes(c.RequestedScopes, requested)
}

// WouldLoseRenewal reports whether an authorization would replace a grant that can be
// renewed by one that cannot.
func (c Connection) WouldLoseRenewal(token provider.Token, account provider.Account, requested []string) bool {
	return token.RefreshToken == "" && c.hasLivingRefreshToken() && !c.KeepsRefreshToken(account, requested)
}

// hasLivingRefreshToken reports whether there is a refresh token that the service has not
// rejected.
func (c Connection) hasLivingRefreshToken() bool {
	living := c.State == StateActive && c.Phase() != PhaseSuspect || c.State == StatePaused
	return living && c.Policy.AutoRenew == provider.AutoRenewRefreshToken && c.Tokens.RefreshToken != ""
}

func sameScopes(a, b []string) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(a, b)
}

// Renewed gives a connection its next token set. asked is when the request was about to
// be sent. Fields that the reply omits are kept: the refresh token, the scopes, the extra
// fields. A paused connection keeps the set and stays paused; one whose grant was
// revoked, or never made, is not changed.
func (c Connection) Renewed(now, asked time.Time, token provider.Token) Connection {
	if c.State == StatePending || c.State == StateRevoked {
		return c
	}
	old := c.Tokens
	c.Tokens = newTokens(c.Policy, asked, token, old)
	c.Tokens.Short = c.shortAfter(now, old)
	c.Tokens.Late = old.Late || c.Failure != nil && c.Failure.TooEarly
	c.Generation++
	if c.State == StateEnded {
		c.State = StateActive
	}
	return c.healthy(now)
}

// Bound notes the versions of keys that a token set is bound to, beside those of the set
// before.
func (c Connection) Bound(keyIDs map[string]string) Connection {
	if len(keyIDs) > 0 {
		all := make(map[string]string, len(keyIDs)+len(c.Tokens.KeyIDs))
		maps.Copy(all, c.Tokens.KeyIDs)
		maps.Copy(all, keyIDs)
		c.Tokens.KeyIDs = all
	}
	return c
}

func (c Connection) healthy(now time.Time) Connection {
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
		Private: token.Private, Fields: old.Fields, RedirectURI: old.RedirectURI, KeyIDs: old.KeyIDs,
	}
	if t.Private == nil {
		t.Private = old.Private
	}
	if t.Scopes == nil {
		t.Scopes = old.Scopes
	}
	if t.TokenType == "" {
		t.TokenType = old.TokenType
	}
	t.Extra = mergeExtra(old.Extra, t.Extra)
	if token.ExpiresIn != nil && *token.ExpiresIn < 0 {
		t.Doubt = DoubtNegativeLife
	}
	switch {
	case token.ExpiresIn != nil && *token.ExpiresIn > 0: // zero means not given, and a negative value is invalid
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

// shortAfter counts the token sets in a row that had no usable life when they came.
func (c Connection) shortAfter(now time.Time, old TokenSet) int {
	end := c.Tokens.ExpiresAt
	if end.IsZero() || end.Sub(now) > shortestRound {
		return 0
	}
	return old.Short + 1
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

// Paused stops renewal, and no tokens are handed out until Resumed. The failure is still
// shown, but there are no more notifications.
func (c Connection) Paused(now time.Time) Connection {
	if c.State == StateActive {
		c.State, c.Due, c.Cause, c.UpdatedAt = StatePaused, time.Time{}, "", now
	}
	return c
}

// Awake is a paused connection as it would be if it were not, for a renewal that is to
// leave it paused.
func (c Connection) Awake() Connection {
	if c.State == StatePaused {
		c.State = StateActive
	}
	return c
}

// Resumed makes a paused connection active again with its failure cleared.
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
	if f := c.Trouble(); f == nil || f.Kind == provider.Blocked || f.Suspect {
		c.Failure, c.Cause = nil, ""
		c.Due = c.NextDue(now)
	} else if f.Uncertain && p.RepeatSafe() { // the one try that was held back is harmless now
		c.Due = earliest(c.Due, latest(f.RetryAfter, now.Add(c.backoff(f.Kind, f.Count))))
	}
	return c
}
