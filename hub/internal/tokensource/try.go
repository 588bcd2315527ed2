package tokensource

import (
	"context"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
)

// Try is Ask for a connection that is paused: it is renewed all the same, and stays paused
// with its new tokens, so that nobody gets one before it is taken up. One that the service
// has ended is ended. Errors: as Ask.
func (s *Source) Try(ctx context.Context, c connection.Connection, wait time.Duration) (connection.Connection, error) {
	awake := c.Awake()
	if err := s.mayAsk(awake, s.clock.Latest()); err != nil {
		return c, err
	}
	after, err := s.within(ctx, c, wait, func(ctx context.Context) (connection.Connection, error) {
		return s.join(ctx, c.ID, func(ctx context.Context, f *flight) (connection.Connection, error) {
			f.paused = true
			return s.renew(ctx, f, c.ID, c.Generation, true)
		})
	})
	if err != nil {
		return after, err
	}
	if f := after.Failure; after.Generation == c.Generation && (f == nil || c.Failure != nil && f.At.Equal(c.Failure.At)) {
		return after, s.notSent(after)
	}
	return after, nil
}
