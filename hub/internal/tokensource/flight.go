package tokensource

import (
	"context"

	"github.com/evergrant/evergrant/hub/internal/connection"
)

// flight is a renewal that callers of one connection share.
type flight struct {
	done chan struct{}
	c    connection.Connection
	err  error
}

// join waits for the renewal of a connection that is under way, or starts do.
// do outlives the caller: it ends by its own bounds.
func (s *Source) join(ctx context.Context, id string, do func() (connection.Connection, error)) (connection.Connection, error) {
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
			f.c, f.err = do()
		})
	}
	s.mu.Unlock()
	select {
	case <-f.done:
		return f.c, f.err
	case <-ctx.Done():
		return connection.Connection{}, ctx.Err()
	}
}
