package store

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"
)

// pullWant is one look-up of the hot path.
type pullWant struct {
	keyHash, name string
}

// pullQueue lets look-ups that wait for the database share a statement. While
// few are under way each goes out at once and alone; under load those that come
// meanwhile gather in the next batch, equal ones counted once. A batch begins
// only after it has been closed to newcomers, so that nobody gets an answer that
// is older than the question.
type pullQueue struct {
	lookUp func(context.Context, []pullWant) (map[pullWant]PullRow, error)

	mu      sync.Mutex
	running int
	next    *pullBatch
}

type pullBatch struct {
	wants map[pullWant]struct{}
	done  chan struct{}
	rows  map[pullWant]PullRow
	err   error
}

const (
	// maxPullBatches under way at one time: one for each core that the database
	// may use beside the hub.
	maxPullBatches = 2
	pullTimeout    = 10 * time.Second
)

func newPullQueue(lookUp func(context.Context, []pullWant) (map[pullWant]PullRow, error)) *pullQueue {
	return &pullQueue{lookUp: lookUp}
}

func (q *pullQueue) do(ctx context.Context, w pullWant) (PullRow, error) {
	if err := ctx.Err(); err != nil {
		return PullRow{}, err
	}
	q.mu.Lock()
	if q.next == nil {
		q.next = &pullBatch{wants: map[pullWant]struct{}{}, done: make(chan struct{})}
	}
	b := q.next
	b.wants[w] = struct{}{}
	if q.running < maxPullBatches {
		q.running++
		q.next = nil
		go q.run(b) //nolint:gosec // G118: a batch is shared, so it outlives the caller that began it
	}
	q.mu.Unlock()
	select {
	case <-b.done:
		return b.rows[w], b.err
	case <-ctx.Done():
		return PullRow{}, ctx.Err()
	}
}

// run answers a batch, and those that gathered meanwhile.
func (q *pullQueue) run(b *pullBatch) {
	for b != nil {
		ctx, cancel := context.WithTimeout(context.Background(), pullTimeout)
		b.rows, b.err = q.lookUp(ctx, slices.Collect(maps.Keys(b.wants)))
		cancel()
		close(b.done)
		q.mu.Lock()
		if b = q.next; b == nil {
			q.running--
		}
		q.next = nil
		q.mu.Unlock()
	}
}
