package tokensource

import (
	"context"
	"errors"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/tracing"
)

// begunAt is when a renewal of a connection began that is not saved yet, by the clock of
// the database; zero if there is none, or if it ends no access token.
func (s *Source) begunAt(ctx context.Context, c connection.Connection) (time.Time, error) {
	if !c.EndsWithRenewal() {
		return time.Time{}, nil
	}
	intent, err := s.store.Renewals.OpenIntent(ctx, c.ID)
	if errors.Is(err, store.ErrNotFound) {
		return time.Time{}, nil
	}
	return intent.BegunAt, err
}

// current is a connection and when a renewal of it began that is not saved yet, both as
// they were at one moment: a renewal that was saved after the row was read has left no
// intent, and has ended the access token in the row.
func (s *Source) current(ctx context.Context, c connection.Connection) (connection.Connection, time.Time, error) {
	for {
		begunAt, err := s.begunAt(ctx, c)
		if err != nil || !begunAt.IsZero() || !c.EndsWithRenewal() {
			return c, begunAt, err
		}
		again, err := s.store.Grants.Connection(ctx, c.ID)
		if err != nil || again.Generation == c.Generation {
			return again, time.Time{}, err
		}
		c = again
	}
}

// settled waits for the outcome of a renewal that began at a time, here or in another
// replica: the service invalidates the access token when it issues the next one, before
// any replica has the reply. It waits as long as its caller does, but not past
// longestWait after the start: a service that has not answered by then has most likely
// renewed nothing. It returns the connection in its resulting state.
func (s *Source) settled(ctx context.Context, c connection.Connection, begun time.Time, wait time.Duration) (_ connection.Connection, err error) {
	wait = min(wait, begun.Add(longestWait).Sub(s.clock.Latest()))
	if wait <= 0 {
		return c, nil
	}
	ctx, span := tracing.Start(ctx, "wait for the outcome of the renewal")
	defer func() { tracing.End(span, outcome(c, err)) }()
	end := time.NewTimer(wait)
	defer end.Stop()
	for look := 5 * time.Millisecond; ; look = min(2*look, 500*time.Millisecond) {
		changed, forget := s.changes.Next(c.ID)
		now, begunAt, err := s.outcome(ctx, c)
		if err != nil || begunAt.IsZero() {
			forget()
			return now, err
		}
		select {
		case <-changed:
		case <-time.After(look):
		case <-end.C:
			forget()
			return now, nil
		case <-ctx.Done():
			forget()
			return c, ctx.Err()
		}
		forget()
	}
}

// outcome reads first whether a renewal is in flight and then the connection, so that the
// row includes the result of the renewal.
func (s *Source) outcome(ctx context.Context, c connection.Connection) (connection.Connection, time.Time, error) {
	begunAt, err := s.begunAt(ctx, c)
	if err != nil {
		return c, begunAt, err
	}
	c, err = s.store.Grants.Connection(ctx, c.ID)
	return c, begunAt, err
}
