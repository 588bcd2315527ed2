package tokensource

import (
	"context"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/endpoint"
	"github.com/evergrant/evergrant/sdk/provider"
)

// RefusedError is why there is no token and who has to act.
type RefusedError struct {
	Connection connection.Connection
	// Kind as in provider.Error: ReauthorizationRequired for a person, Blocked
	// for the operator, Transient and Internal pass.
	Kind provider.Kind
	// Paused is set if an administrator stopped the connection.
	Paused bool
	// Detached is set if the database is a detached copy, which renews nothing.
	Detached bool
	// TooSoon is set if nothing is wrong but the haste of the process.
	TooSoon bool
	// InProgress is set if a renewal is in flight that the caller did not wait for.
	InProgress bool
	// RetryAfter is when to ask again; zero if that is no use.
	RetryAfter time.Duration
	Message    string
}

// Error implements error.
func (e *RefusedError) Error() string { return e.Message }

// Refusal reports whether a rule, the service or its state says no, rather than a fault.
func (e *RefusedError) Refusal() bool { return e.Kind != provider.Internal }

// refusal is the error for a connection that no renewal can help.
func refusal(c connection.Connection, now time.Time) error {
	refuse := func(message string) error {
		return &RefusedError{Connection: c, Kind: provider.ReauthorizationRequired, Message: message}
	}
	switch c.State {
	case connection.StatePaused:
		return &RefusedError{Connection: c, Kind: provider.Blocked, Paused: true, Message: "The connection is paused; resume it in the web hub."}
	case connection.StatePending:
		return refuse("Nobody has authorized this connection yet.")
	case connection.StateRevoked:
		return refuse("The grant was given back; authorize the connection again.")
	case connection.StateEnded:
		if !c.Tokens.Valid(now) {
			return refuse("The service has ended the grant; a person has to authorize it again.")
		}
	}
	if c.Phase() == connection.PhaseSuspect && !c.Tokens.Valid(now) {
		return refuse("The service refuses to renew this grant alone, again and again; a person has to authorize it again. It said: " + c.Failure.Message)
	}
	if !c.Tokens.Valid(now) && !c.Renewable(now) {
		return refuse("The token has expired and cannot be renewed; a person has to authorize it again.")
	}
	return nil
}

// waiting is the error for a connection whose renewal fails for now.
func waiting(c connection.Connection, now, again time.Time, closed *endpoint.ClosedError) error {
	e := &RefusedError{Connection: c, Kind: provider.Transient, RetryAfter: time.Second, Message: "The token is being renewed; ask again."}
	if again.After(now) {
		e.RetryAfter = again.Sub(now)
	}
	if f := c.Trouble(); f != nil {
		e.Kind, e.Message = f.Kind, f.Message
	} else if said, held := heldBack[connection.ParseCause(c.Cause).Kind]; held {
		e.Message, e.RetryAfter = said, max(e.RetryAfter, heldFor)
	} else if closed != nil {
		e.Message = notAsked(closed)
	}
	return e
}

// notAsked explains why no request is sent to an endpoint.
func notAsked(closed *endpoint.ClosedError) string {
	return "Nothing was sent: the service is not asked for now, for " + closed.Cause + ". Ask again later."
}

// askAgain is when a process that did not wait for a renewal may ask again: it then
// joins the same renewal.
const askAgain = 2 * time.Second

// inProgress is the error for a renewal that is in flight when the caller's wait is over.
// It includes how long the renewal can take.
func (s *Source) inProgress(ctx context.Context, c connection.Connection) error {
	e := &RefusedError{
		Connection: c, Kind: provider.Transient, InProgress: true, RetryAfter: askAgain,
		Message: "The token is being renewed and the service has not answered yet; ask again.",
	}
	reading, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if intent, err := s.store.Renewals.OpenIntent(reading, c.ID); err == nil && intent.Deadline.After(intent.ReadAt) {
		e.Message = "The token is being renewed and the service has not answered yet; ask again. The reply is waited for until " +
			intent.Deadline.UTC().Format(time.RFC3339) + " at the latest."
	}
	return e
}
