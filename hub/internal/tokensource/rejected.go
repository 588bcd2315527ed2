package tokensource

import (
	"context"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/sdk/provider"
)

// minTokenAge is how old a token must be before a process can have it renewed by
// reporting that the service rejected it. It bounds the renewals of a service that
// rejects every token.
const minTokenAge = 10 * time.Second

// Rejected is for a process whose token of a generation was rejected by the service. If
// that generation is still the current one it is renewed, once for all who report it;
// otherwise the newer token is returned at once. Errors: as Serve; *RefusedError with a
// RetryAfter if the token is too young to be renewed again.
func (s *Source) Rejected(ctx context.Context, c connection.Connection, generation int64, wait time.Duration) (*Pulled, error) {
	now := s.clock.Latest()
	if err := refusal(c, now); err != nil {
		return nil, err
	}
	if c.Generation > generation {
		return s.Serve(ctx, c, 0, wait)
	}
	if !c.Renewable(now) {
		return nil, &RefusedError{
			Connection: c, Kind: provider.ReauthorizationRequired, Message: "The service rejects the token, and it cannot be renewed; a person has to authorize again.",
		}
	}
	if age := now.Sub(c.RenewedAt); age < minTokenAge {
		return nil, &RefusedError{
			Connection: c, Kind: provider.Transient, RetryAfter: minTokenAge - age, TooSoon: true,
			Message: "The token is only a few seconds old, so it is not renewed again yet. Does the service reject it for another reason?",
		}
	}
	if closed := s.limiter.Closed(s.limiter.KeyFor(c.ServiceID)); closed != nil {
		return nil, waiting(c, now, closed.Until, closed)
	}
	if may, again := c.MayRenewNow(now); !may {
		return nil, waiting(c, now, again, nil)
	}
	renewed, err := s.RenewWithin(ctx, c, wait)
	if err != nil {
		return nil, err
	}
	if err := refusal(renewed, s.clock.Latest()); err != nil {
		return nil, err
	}
	if renewed.Generation == generation {
		_, again := renewed.MayRenew(s.clock.Latest())
		return nil, waiting(renewed, s.clock.Latest(), again, nil)
	}
	return &Pulled{Connection: renewed}, nil
}
