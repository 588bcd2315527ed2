package connection

import (
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
)

// Status is the status of a connection, as shown to people.
type Status string

// The statuses; docs and pages use the same words.
const (
	StatusFresh              Status = "fresh"
	StatusExpires            Status = "expires"
	StatusRetrying           Status = "retrying"
	StatusUncertain          Status = "uncertain"
	StatusNeedsOperator      Status = "needs_operator"
	StatusNeedsAuthorization Status = "needs_authorization"
	StatusPaused             Status = "paused"
	StatusRevoked            Status = "revoked"
)

// Statuses lists every status, most urgent first.
var Statuses = []Status{
	StatusNeedsAuthorization, StatusNeedsOperator, StatusUncertain, StatusRetrying, StatusExpires,
	StatusFresh, StatusPaused, StatusRevoked,
}

// Soon is how near the end of a grant must be for its date to be the headline.
const Soon = 14 * 24 * time.Hour

// StatusAt returns the status of the connection at a time.
func (c Connection) StatusAt(now time.Time) Status {
	switch c.State {
	case StatePaused:
		return StatusPaused
	case StateRevoked:
		return StatusRevoked
	case StatePending, StateEnded:
		return StatusNeedsAuthorization
	}
	renewable := c.Renewable(now)
	if !renewable && !c.Tokens.Valid(now) {
		return StatusNeedsAuthorization
	}
	switch c.Phase() {
	case PhaseSuspect:
		return StatusNeedsAuthorization
	case PhaseBlocked:
		return StatusNeedsOperator
	case PhaseUncertain:
		return StatusUncertain
	case PhaseRetrying:
		return StatusRetrying
	}
	if !renewable && !c.Tokens.ExpiresAt.IsZero() {
		return StatusExpires
	}
	if by, _ := c.PersonBy(); !by.IsZero() && by.Sub(now) < Soon {
		return StatusExpires
	}
	return StatusFresh
}

// Reason is why a person has to act.
type Reason string

// The reasons of PersonBy.
const (
	ReasonNoAutoRenew    Reason = "no_auto_renew"    // the service cannot renew
	ReasonNoRefreshToken Reason = "no_refresh_token" // the service gave none
	ReasonRefreshEnds    Reason = "refresh_token_ends"
	ReasonRefused        Reason = "refused" // again and again, this grant alone
	ReasonEnded          Reason = "ended"
	ReasonNeverGranted   Reason = "never_granted"
)

// PersonBy returns the time by which a person must authorize again and why. A
// zero time with a reason is: now. A zero time without a reason is: not
// foreseen.
func (c Connection) PersonBy() (time.Time, Reason) {
	switch c.State {
	case StatePending:
		return time.Time{}, ReasonNeverGranted
	case StateEnded:
		return time.Time{}, ReasonEnded
	case StateRevoked, StatePaused:
		return time.Time{}, ""
	}
	t := c.Tokens
	if c.Phase() == PhaseSuspect {
		return t.ExpiresAt, ReasonRefused
	}
	switch c.Policy.AutoRenew {
	case provider.AutoRenewNone, "":
		if t.ExpiresAt.IsZero() {
			return time.Time{}, ""
		}
		return t.ExpiresAt, ReasonNoAutoRenew
	case provider.AutoRenewRefreshToken:
		if c.BornDead() {
			return t.ExpiresAt, ReasonNoRefreshToken
		}
		// A rotating service hands out a new refresh token at each renewal, so
		// the end moves on; one that does not rotate ends for good.
		if c.Policy.Rotation.Kind == provider.RotationNone || c.Policy.Rotation.Kind == "" {
			if !t.RefreshExpiresAt.IsZero() {
				return t.RefreshExpiresAt, ReasonRefreshEnds
			}
		}
	}
	return time.Time{}, ""
}
