package storetest

import (
	"context"
	"sync"
	"testing"

	"github.com/evergrant/evergrant/hub/internal/store"
)

// dying is a context that is cancelled when it has been asked so many times whether it is.
type dying struct {
	context.Context //nolint:containedctx // it is one

	mu   sync.Mutex
	left int
	over chan struct{}
}

// Done implements context.Context.
func (d *dying) Done() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.left--; d.left == 0 {
		close(d.over)
	}
	return d.over
}

// Err implements context.Context.
func (d *dying) Err() error {
	select {
	case <-d.over:
		return context.Canceled
	default:
		return d.Context.Err()
	}
}

// DieAnywhere calls do again and again with a context that ends a little later each time, as
// a hub that is stopped between any two of its statements does, until do gets to its end.
// After each death it calls check, which finds what do has left. On PostgreSQL, where each
// death costs a connection, it leaves out four of five moments.
func DieAnywhere(t *testing.T, s *store.Store, do func(ctx context.Context) error, check func()) {
	t.Helper()
	stride := 1
	if s.Dialect() == store.PostgreSQL {
		stride = 5
	}
	for n := 1; n < 5_000; n += stride {
		err := do(&dying{Context: t.Context(), left: n, over: make(chan struct{})})
		check()
		if err == nil {
			if n < 10 {
				t.Errorf("it died in none of its statements: it has asked %d times", n)
			}
			return
		}
	}
	t.Error("it never gets to its end")
}

// AtOnce calls do so many times at once.
func AtOnce(t *testing.T, times int, do func() error) {
	t.Helper()
	begin := make(chan struct{})
	var calls sync.WaitGroup
	for range times {
		calls.Go(func() {
			<-begin
			if err := do(); err != nil {
				t.Error(err)
			}
		})
	}
	close(begin)
	calls.Wait()
}
