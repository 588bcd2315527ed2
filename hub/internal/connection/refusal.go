package connection

import (
	"slices"
	"strings"
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
)

// A service may end a grant with an error that no plugin classifies. It then refuses each
// renewal alike. An outage or a wrong secret affects another service or every grant, so a
// grant that alone is refused, with the same error, for long, has most likely ended. It
// is not ended for that: a person is asked to authorize again, the tokens stay, and
// renewal is retried.

// Bounds of Suspicious.
const (
	suspectRefusals = 5
	suspectFor      = 2 * time.Hour
)

// operatorCodes are refusals that the operator has to fix: without another grant of the
// service they do not show that the grant has ended.
var operatorCodes = []string{
	"invalid_client", "wrong_client", "unauthorized_client", "unsupported_grant_type", "unsupported_response_type", "invalid_scope",
	"insufficient_scope", "invalid_target", "redirect_uri_mismatch", "bad_redirect_uri", "invalid_redirect_uri", "incorrect_client_credentials",
	"bad_client_secret", "bad_client_id", "invalid_client_id", "invalid_client_secret", "invalid_client_credentials", "client_not_found",
	"application_suspended", "payment_required", "access_denied",
}

// refuses reports whether a failure is a service's answer to this grant that does not
// pass by itself.
func (f *Failure) refuses() bool {
	switch {
	case f.Status < 200 || f.Status >= 500 || f.Status == 408 || f.Status == 425 || f.Status == 429,
		strings.HasPrefix(f.Code, PluginCodes):
		return false
	case f.Kind == provider.Blocked:
		return true
	case f.Kind == provider.Internal: // without a code, only a status that refers to the request
		return f.Code != "" || f.Status == 400
	default:
		return f.TooEarly
	}
}

// unknown reports whether a refusal is unclassified.
func (f *Failure) unknown() bool {
	if f.Kind != provider.Blocked {
		return true
	}
	return f.Remedy.IsZero() && !slices.Contains(operatorCodes, strings.ToLower(f.Code))
}

// equal reports whether two failures are the same answer.
func (f *Failure) equal(other *Failure) bool {
	return f.Kind == other.Kind && f.Status == other.Status && strings.EqualFold(f.Code, other.Code) && f.TooEarly == other.TooEarly
}

// Elsewhere is the state of the other active grants of a service.
type Elsewhere struct {
	// Others counts them, Renewed those that have been renewed since a time, and
	// Failing those whose renewals fail.
	Others, Renewed, Failing int
}

// Suspicious reports whether the last failure is the fifth equal refusal in two hours
// or more: then Alone decides.
func (c Connection) Suspicious(now time.Time) bool {
	f := c.Failure
	return c.State == StateActive && !c.Impersonal() && f != nil && f.refuses() && f.Same >= suspectRefusals && now.Sub(f.SameSince) >= suspectFor
}

// Alone reports whether a refusal most likely concerns this grant only: others of its
// service were renewed since, or no other one fails and the refusal is unclassified.
func (c Connection) Alone(e Elsewhere) bool {
	return e.Renewed > 0 || e.Failing == 0 && c.Failure.unknown()
}

// Suspected notes a renewal that was refused like those before, which most likely means
// that the grant has ended: a person is asked to authorize again. Nothing is ended, and
// renewal is retried at long intervals.
func (c Connection) Suspected(now time.Time, sent int64, failure *provider.Error) Connection {
	after := c.Failed(now, sent, failure)
	if after.State != StateActive || after.Failure == c.Failure {
		return after
	}
	after.Failure.Suspect, after.Failure.Uncertain, after.Failure.AnswerableUntil = true, false, time.Time{}
	after.Due = latest(after.Failure.RetryAfter, now.Add(after.backoff(provider.Blocked, after.Failure.Same)))
	return after
}

// TooEarly notes that the service renews only once the access token is over: no
// failure, and nothing is counted. The next renewal is due then, and so are those of
// the generations after it. Where the token is over by our clock, or has no known end,
// it is a failure that passes.
func (c Connection) TooEarly(now time.Time, sent int64, failure *provider.Error) Connection {
	if sent != c.Generation || c.State != StateActive {
		return c
	}
	end := c.Tokens.ExpiresAt
	if end.IsZero() || !c.Tokens.Valid(now) {
		told := *failure
		told.Kind, told.RetryAfter = provider.Transient, max(told.RetryAfter, time.Minute)
		return c.Failed(now, sent, &told)
	}
	due := end.Add(afterExpiryGrace + c.jitter(afterExpiryGrace))
	c.Failure = &Failure{
		Kind: provider.Transient, Code: failure.Code, Message: failure.Error(), Remedy: failure.Remedy, Status: failure.HTTPStatus,
		At: now, Since: now, RetryAfter: due, TooEarly: true,
	}
	c.Due, c.Cause, c.UpdatedAt = due, "", now
	return c
}

// HalfRenewed notes a reply that reports success, replaces the refresh token, and is
// of no use otherwise. The new refresh token is kept, for the old one is spent; the
// access token stays, and the renewal is tried again.
func (c Connection) HalfRenewed(now, asked time.Time, failure *provider.Error) Connection {
	if c.State == StatePending || c.State == StateRevoked || failure.RefreshToken == "" {
		return c
	}
	set := provider.Token{AccessToken: c.Tokens.AccessToken, RefreshToken: failure.RefreshToken}
	half := newTokens(c.Policy, asked, set, c.Tokens)
	half.ObtainedAt, half.ExpiresAt, half.IDToken, half.Late = c.Tokens.ObtainedAt, c.Tokens.ExpiresAt, c.Tokens.IDToken, c.Tokens.Late
	c.Tokens = half
	c.Generation++
	if c.State == StateEnded {
		c.State = StateActive
	}
	before := c.Failure
	c.Failure, c.UpdatedAt = c.next(now, failure), now
	c.Failure.Uncertain, c.Failure.AnswerableUntil, c.Failure.Suspect = false, time.Time{}, false
	if before == nil {
		c.Failure.Count, c.Failure.Since = 1, now
	}
	if c.State == StateActive {
		c.Due = latest(c.Failure.RetryAfter, now.Add(c.backoff(c.Failure.Kind, c.Failure.Count)))
	}
	return c
}

// Trouble is the failure that is shown and notified; nil if there is none. A renewal that
// is too early is none.
func (c Connection) Trouble() *Failure {
	if c.Failure != nil && c.Failure.TooEarly && c.Failure.Count == 0 {
		return nil
	}
	return c.Failure
}

// AfterExpiry reports whether the service renews only once the access token is over.
func (c Connection) AfterExpiry() bool { return c.window() == provider.RenewAfterExpiry }

// window is the renew window of this grant: as the service declares, or after the expiry
// where its answer has required that.
func (c Connection) window() provider.RenewWindowKind {
	if c.Tokens.Late && c.Policy.Window.Kind != provider.RenewOnDemand {
		return provider.RenewAfterExpiry
	}
	return c.Policy.Window.Kind
}
