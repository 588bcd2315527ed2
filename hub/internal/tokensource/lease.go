package tokensource

import (
	"context"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/evergrant/evergrant/hub/internal/connection"
)

// takeLease returns when this hub holds the lease of the connection, or when its
// generation is past after: then another replica has renewed it. It waits for changes of
// the row, and reads it at intervals in case one was missed.
func (s *Source) takeLease(ctx context.Context, id string, after int64) (connection.Connection, error) {
	var begun time.Time // of the wait
	defer func() {
		if !begun.IsZero() {
			s.waited(time.Since(begun), true)
		}
	}()
	pauses := backoff.ExponentialBackOff{InitialInterval: 20 * time.Millisecond, Multiplier: 2, MaxInterval: 500 * time.Millisecond}
	for {
		changed, forget := s.changes.Next(id)
		c, won, err := s.tryLease(ctx, id, after)
		if err != nil || won || c.Generation > after {
			forget()
			return c, err
		}
		if begun.IsZero() {
			begun = time.Now()
		}
		select {
		case <-ctx.Done():
			forget()
			return c, fmt.Errorf("another replica has been renewing %s for %s: %w", c.Name, s.lease, ctx.Err())
		case <-changed:
		case <-time.After(pauses.NextBackOff()):
		}
		forget()
	}
}

// tryLease tries once and reads the connection. A lease on one that has passed
// after is given back, and so is one that may have been won without an answer.
func (s *Source) tryLease(ctx context.Context, id string, after int64) (c connection.Connection, won bool, err error) {
	won, err = s.store.Renewals.TakeLease(ctx, id, s.Owner(), s.lease)
	if err != nil {
		s.freeLease(id)
		return c, won, err
	}
	c, err = s.store.Grants.Connection(ctx, id)
	if won && (err != nil || c.Generation > after) {
		s.freeLease(id)
	}
	return c, won, err
}

// freeLease gives the lease back; if that fails it runs out by itself. A save
// has freed it already, then this changes nothing.
func (s *Source) freeLease(id string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.life), 5*time.Second)
	defer cancel()
	if err := s.store.Renewals.FreeLeases(ctx, s.Owner(), id); err != nil {
		s.log.Warn("release lease failed, it will expire", "connection", id, "error", err)
	}
}
