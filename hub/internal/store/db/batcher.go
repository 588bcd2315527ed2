package db

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"
)

// Batcher combines concurrent calls into one statement. While fewer than runners
// batches are in flight an item is sent at once and alone; under load, items that
// arrive meanwhile are added to the next batch. A batch is closed to new items before
// it starts, so that no caller gets a result that is older than its call.
type Batcher[T, R any] struct {
	// flush executes a batch: one result for each item, in order, or an error for all
	// of them.
	flush func(ctx context.Context, items []T) ([]R, error)
	// runners bounds the batches in flight, most the items of one.
	runners, most int
	// in runs the batches.
	in *Workers

	mu      sync.Mutex
	running int
	next    []*batch[T, R] // oldest first; only the last one accepts new items
}

// NewBatcher returns a batcher of a store. It has at most runners batches in flight, each of
// at most most items.
func NewBatcher[T, R any](s *DB, runners, most int, flush func(ctx context.Context, items []T) ([]R, error)) *Batcher[T, R] {
	return &Batcher[T, R]{flush: flush, runners: runners, most: most, in: s.Workers}
}

// batch is a batch that is queued or in flight.
type batch[T, R any] struct {
	items   []T
	done    chan struct{}
	results []R
	err     error
}

// Workers is the group of goroutines that execute the batches of a store. No batch
// outlives it: a hub that has stopped must not write.
type Workers struct {
	life context.Context
	end  context.CancelFunc
	work sync.WaitGroup
}

func newWorkers() *Workers {
	w := &Workers{}
	w.life, w.end = context.WithCancel(context.Background())
	return w
}

// Close cancels the batches in flight and waits for them.
func (w *Workers) Close() {
	w.end()
	w.work.Wait()
}

// batchTimeout bounds the work of one batch.
const batchTimeout = 10 * time.Second

// Do returns the result of an item. If ctx ends first, the item is processed all the
// same and its result is dropped.
func (b *Batcher[T, R]) Do(ctx context.Context, item T) (R, error) {
	var none R
	if err := ctx.Err(); err != nil {
		return none, err
	}
	in, n := b.add(item)
	select {
	case <-in.done:
		if in.err != nil {
			return none, in.err
		}
		return in.results[n], nil
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

// add puts an item into the open batch and starts the oldest batch if a runner is free.
// It returns the batch of the item and its index there.
func (b *Batcher[T, R]) add(item T) (*batch[T, R], int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.next) == 0 || len(b.next[len(b.next)-1].items) == b.most {
		b.next = append(b.next, &batch[T, R]{done: make(chan struct{})})
	}
	last := b.next[len(b.next)-1]
	last.items = append(last.items, item)
	n := len(last.items) - 1
	if b.running < b.runners {
		b.running++
		first := b.take()
		b.in.work.Go(func() { b.run(first) })
	}
	return last, n
}

// take removes the oldest batch; nil if there is none.
func (b *Batcher[T, R]) take() *batch[T, R] {
	if len(b.next) == 0 {
		return nil
	}
	first := b.next[0]
	b.next = b.next[1:]
	return first
}

// run executes a batch, and then those that were queued meanwhile.
func (b *Batcher[T, R]) run(current *batch[T, R]) {
	for current != nil {
		ctx, cancel := context.WithTimeout(b.in.life, batchTimeout)
		current.results, current.err = b.flush(ctx, current.items)
		cancel()
		close(current.done)
		b.mu.Lock()
		if current = b.take(); current == nil {
			b.running--
		}
		b.mu.Unlock()
	}
}

// OneByOne does the work of a batch item by item, after one of them has spoiled
// the transaction for all.
func OneByOne[T any](ctx context.Context, batch []T, flush func(context.Context, []T) ([]error, error)) []error {
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

// Distinct leaves out repetitions; the order is none.
func Distinct[T comparable](items []T) []T {
	if len(items) < 2 {
		return items
	}
	set := make(map[T]struct{}, len(items))
	for _, item := range items {
		set[item] = struct{}{}
	}
	return slices.Collect(maps.Keys(set))
}
