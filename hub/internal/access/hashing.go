package access

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Bounds of the queue in which passwords wait to be hashed. Each that is hashed takes
// 64 MiB and about a tenth of a second.
const (
	mostHashing = 2
	// mostWaiting strangers wait at a time, and as many known persons; mostWaitingFrom of
	// them from one network.
	mostWaiting     = 32
	mostWaitingFrom = 8
	// busyFor is when to come again to a queue that is full.
	busyFor = 2 * time.Second
)

// queue bounds the concurrent hashing of passwords. Known persons come before strangers,
// so that a flood does not make a person wait.
type queue struct {
	mu      sync.Mutex
	hashing int
	known   []*waiting
	strange []*waiting
}

// waiting is an entry of the queue; ready is closed when its place is free.
type waiting struct {
	network string
	ready   chan struct{}
}

// enter waits for a place, which leave returns. A caller whose context ends leaves the
// queue. network is "" for a known person. Errors: TooManyError if the queue is full, the
// context's.
func (q *queue) enter(ctx context.Context, network string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w := &waiting{network: network, ready: make(chan struct{})}
	if entered, err := q.join(w); entered || err != nil {
		return err
	}
	select {
	case <-w.ready:
		return nil
	case <-ctx.Done():
		q.giveUp(w)
		return ctx.Err()
	}
}

// join takes a place at once, or a waiting place.
func (q *queue) join(w *waiting) (entered bool, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.hashing < mostHashing {
		q.hashing++
		return true, nil
	}
	line := &q.strange
	if w.network == "" {
		line = &q.known
	}
	same := 0
	for _, other := range *line {
		if w.network != "" && other.network == w.network {
			same++
		}
	}
	if len(*line) >= mostWaiting || same >= mostWaitingFrom {
		return false, &TooManyError{RetryAfter: busyFor, Busy: true}
	}
	*line = append(*line, w)
	return false, nil
}

// giveUp leaves the queue, or the place that was given meanwhile.
func (q *queue) giveUp(w *waiting) {
	q.mu.Lock()
	given := true
	for _, line := range []*[]*waiting{&q.known, &q.strange} {
		if at := slices.Index(*line, w); at >= 0 {
			*line = slices.Delete(*line, at, at+1)
			given = false
		}
	}
	q.mu.Unlock()
	if given {
		q.leave()
	}
}

// leave passes the place to the next in the queue.
func (q *queue) leave() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, line := range []*[]*waiting{&q.known, &q.strange} {
		if len(*line) > 0 {
			next := (*line)[0]
			*line = slices.Delete(*line, 0, 1)
			close(next.ready)
			return
		}
	}
	q.hashing--
}
