package tokensource

import (
	"context"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/sdk/provider"
)

// Ask renews a connection on request, waits for at most wait, and returns it in its
// resulting state, which may show a failure. Errors: *RefusedError if nothing was sent,
// or if it is too early for the service, with the reason; those of RenewWithin.
func (s *Source) Ask(ctx context.Context, c connection.Connection, wait time.Duration) (connection.Connection, error) {
	now := s.clock.Latest()
	if err := s.mayAsk(c, now); err != nil {
		return c, err
	}
	after, err := s.RenewWithin(ctx, c, wait)
	if err != nil {
		return after, err
	}
	if f := after.Failure; after.Generation == c.Generation && (f == nil || c.Failure != nil && f.At.Equal(c.Failure.At)) {
		return after, s.notSent(after)
	}
	if after.Failure != nil && after.Trouble() == nil {
		return after, &RefusedError{
			Connection: after, Kind: provider.Transient, RetryAfter: after.Due.Sub(s.clock.Latest()),
			Message: "The service was asked, and says that it renews a token only once it has expired; it is asked again then.",
		}
	}
	return after, nil
}

// mayAsk returns why no request is sent for a connection, whatever the caller; nil if one
// may be.
func (s *Source) mayAsk(c connection.Connection, now time.Time) error {
	if c.State != connection.StateActive {
		if err := refusal(c, now); err != nil {
			return err
		}
	}
	if !c.Renewable(now) {
		return &RefusedError{
			Connection: c, Kind: provider.ReauthorizationRequired,
			Message: "There is nothing to renew this connection with, so nothing was sent; a person has to authorize it again.",
		}
	}
	if may, again := c.MayRenewNow(now); !may {
		return &RefusedError{
			Connection: c, Kind: provider.Transient, RetryAfter: again.Sub(now),
			Message: "Nothing was sent: the service may still be answering the request before. Ask again later.",
		}
	}
	if c.AfterExpiry() && c.Tokens.Valid(now) {
		return &RefusedError{
			Connection: c, Kind: provider.Transient, RetryAfter: c.Tokens.ExpiresAt.Sub(now),
			Message: "Nothing was sent: this service renews a token only once it has expired.",
		}
	}
	if closed := s.limiter.Closed(s.limiter.KeyFor(c.ServiceID)); closed != nil {
		return &RefusedError{Connection: c, Kind: provider.Transient, RetryAfter: max(time.Second, closed.Until.Sub(now)), Message: notAsked(closed)}
	}
	return nil
}

// notSent is the error for a requested renewal that led to no request.
func (s *Source) notSent(c connection.Connection) error {
	now := s.clock.Latest()
	closed := s.limiter.Closed(s.limiter.KeyFor(c.ServiceID))
	e := &RefusedError{Connection: c, Kind: provider.Transient, RetryAfter: max(time.Second, c.Due.Sub(now)), Message: "Nothing was sent: the service is not asked for now. Ask again later."}
	if said, held := heldBack[connection.ParseCause(c.Cause).Kind]; held {
		e.Message = said
	} else if closed != nil {
		e.Message, e.RetryAfter = notAsked(closed), closed.Until.Sub(now)
	}
	return e
}
