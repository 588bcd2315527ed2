package store

import (
	"context"
	"sync"
	"time"
)

// gather lets callers that wait for the database share its work. While few
// batches are under way a caller's item goes out at once and alone; under load
// those that come meanwhile gather in the next batch. A batch begins only after
// it has been closed to newcomers, so that nobody gets an answer that is older
// than the question.
type gather[T, R any] struct {
	// flush does the work of a batch: one result for each item, in order, or an
	// error for all of them.
	flush func(ctx context.Context, items []T) ([]R, error)
	// runners bounds the batches under way, most the items of one.
	runners, most int
	// in is where batches are worked on.
	in *workshop

	mu      sync.Mutex
	running int
	next    []*gathering[T, R] // oldest first; only the last one takes newcomers
}

// gathering is a batch while it waits and while it is worked on.
type gathering[T, R any] struct {
	items   []T
	done    chan struct{}
	results []R
	err     error
}

// workshop holds the batches of a store: none may outlive it, or a hub that has
// stopped would still write.
type workshop struct {
	life context.Context
	end  context.CancelFunc
	work sync.WaitGroup
}

func newWorkshop() *workshop {
	w := &workshop{}
	w.life, w.end = context.WithCancel(context.Background())
	return w
}

// close gives up what is under way and waits until it has.
func (w *workshop) close() {
	w.end()
	w.work.Wait()
}

// gatherTimeout bounds the work of one batch.
const gatherTimeout = 10 * time.Second

// do returns the result of an item. When ctx ends first its item is worked on
// all the same, and nobody is told what came of it.
func (g *gather[T, R]) do(ctx context.Context, item T) (R, error) {
	var none R
	if err := ctx.Err(); err != nil {
		return none, err
	}
	b, n := g.add(item)
	select {
	case <-b.done:
		if b.err != nil {
			return none, b.err
		}
		return b.results[n], nil
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

// add puts an item into the batch that gathers and starts it if there is room.
func (g *gather[T, R]) add(item T) (*gathering[T, R], int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.next) == 0 || len(g.next[len(g.next)-1].items) == g.most {
		g.next = append(g.next, &gathering[T, R]{done: make(chan struct{})})
	}
	b := g.next[len(g.next)-1]
	b.items = append(b.items, item)
	n := len(b.items) - 1
	if g.running < g.runners {
		g.running++
		b := g.take()
		g.in.work.Go(func() { g.run(b) })
	}
	return b, n
}

// take removes the batch that has waited longest; nil if there is none.
func (g *gather[T, R]) take() *gathering[T, R] {
	if len(g.next) == 0 {
		return nil
	}
	b := g.next[0]
	g.next = g.next[1:]
	return b
}

// run works on a batch, and on those that gathered meanwhile.
func (g *gather[T, R]) run(b *gathering[T, R]) {
	for b != nil {
		ctx, cancel := context.WithTimeout(g.in.life, gatherTimeout)
		b.results, b.err = g.flush(ctx, b.items)
		cancel()
		close(b.done)
		g.mu.Lock()
		if b = g.take(); b == nil {
			g.running--
		}
		g.mu.Unlock()
	}
}

// oneByOne does the work of a batch item by item, after one of them has spoiled
// the transaction for all.
func oneByOne[T any](ctx context.Context, batch []T, flush func(context.Context, []T) ([]error, error)) []error {
	results := make([]error, len(batch))
	for i, item := range batch {
		alone, err := flush(ctx, []T{item})
		if err == nil {
			err = alone[0]
		}
		results[i] = err
	}
	return results
}
