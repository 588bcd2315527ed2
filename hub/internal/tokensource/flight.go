package tokensource

import (
	"context"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/trail"
)

// flight is a renewal that callers of one connection share.
type flight struct {
	done chan struct{}
	c    connection.Connection
	err  error
}

// join waits for the renewal of a connection that is under way, or starts do.
// do outlives the caller: its context ends with the hub, and carries the trail of the
// caller who started it.
func (s *Source) join(ctx context.Context, id string, do func(context.Context) (connection.Connection, error)) (connection.Connection, error) {
	begun := time.Now()
	s.mu.Lock()
	f, ok := s.flights[id]
	if !ok {
		f = &flight{done: make(chan struct{})}
		s.flights[id] = f
		s.work.Go(func() {
			defer func() {
				s.mu.Lock()
				delete(s.flights, id)
				s.mu.Unlock()
				close(f.done)
			}()
			f.c, f.err = do(trail.Onto(s.life, ctx))
		})
	}
	s.mu.Unlock()
	if ok {
		defer func() { s.waited(time.Since(begun), false) }()
	}
	select {
	case <-f.done:
		return f.c, f.err
	case <-ctx.Done():
		return connection.Connection{}, ctx.Err()
	}
}
