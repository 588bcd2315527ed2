package endpoint

import (
	"context"
	"slices"
	"sync"
)

// Queue hands work to a bounded number of workers, fairly between endpoints: they
// take turns, and one that is slow cannot hold all workers. It may hold at most
// three times as many as are left free (a dynamic threshold: Choudhury and Hahne,
// 1998), so with 32 workers a single endpoint gets 24, a second slow one 6, and
// there is always one left for the next. It is safe for concurrent use.
type Queue[T any] struct {
	workers int

	mu      sync.Mutex
	lines   map[Key]*line[T] // bounded by what the caller pushes; an empty line goes
	order   []Key            // of the lines in their turn
	waiting int
	running int
	changed chan struct{} // closed and replaced when something may be taken
}

// line is the work of one endpoint.
type line[T any] struct {
	work    []T
	running int
}

// sharePerFree is how much an endpoint may hold for each worker that is free.
const sharePerFree = 3

// NewQueue returns a Queue for a number of workers.
func NewQueue[T any](workers int) *Queue[T] {
	return &Queue[T]{workers: max(1, workers), lines: map[Key]*line[T]{}, changed: make(chan struct{})}
}

// Push adds work for an endpoint. The caller bounds how much, by Waiting.
func (q *Queue[T]) Push(key Key, work T) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l, ok := q.lines[key]
	if !ok {
		l = &line[T]{}
		q.lines[key] = l
		q.order = append(q.order, key)
	}
	l.work = append(l.work, work)
	q.waiting++
	q.wake()
}

// Take waits for the next work and takes a worker for it; done gives it back.
// Errors: ctx's.
func (q *Queue[T]) Take(ctx context.Context) (work T, done func(), err error) {
	for {
		q.mu.Lock()
		key, ok := q.next()
		if ok {
			work = q.take(key)
			q.mu.Unlock()
			return work, sync.OnceFunc(func() { q.finish(key) }), nil
		}
		changed := q.changed
		q.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return work, nil, ctx.Err()
		}
	}
}

// next is the endpoint whose turn it is.
func (q *Queue[T]) next() (Key, bool) {
	free := q.workers - q.running
	if free <= 0 || q.waiting == 0 {
		return "", false
	}
	for _, key := range q.order {
		l := q.lines[key]
		// The last worker goes to an endpoint that has none.
		if len(l.work) > 0 && (l.running == 0 || l.running < sharePerFree*free && (free > 1 || q.workers == 1)) {
			return key, true
		}
	}
	return "", false
}

func (q *Queue[T]) take(key Key) T {
	l := q.lines[key]
	work := l.work[0]
	l.work = l.work[1:]
	l.running++
	q.running++
	q.waiting--
	i := slices.Index(q.order, key)
	q.order = append(slices.Delete(q.order, i, i+1), key) // its next turn comes last
	return work
}

func (q *Queue[T]) finish(key Key) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.lines[key]
	l.running--
	q.running--
	if l.running == 0 && len(l.work) == 0 {
		delete(q.lines, key)
		q.order = slices.DeleteFunc(q.order, func(k Key) bool { return k == key })
	}
	q.wake()
}

func (q *Queue[T]) wake() {
	close(q.changed)
	q.changed = make(chan struct{})
}

// Drain takes all work that waits, without workers, when the hub stops.
func (q *Queue[T]) Drain() []T {
	q.mu.Lock()
	defer q.mu.Unlock()
	var left []T
	for _, l := range q.lines {
		left = append(left, l.work...)
		l.work = nil
	}
	q.waiting = 0
	return left
}

// Waiting is how much work of an endpoint waits for a worker.
func (q *Queue[T]) Waiting(key Key) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	if l, ok := q.lines[key]; ok {
		return len(l.work)
	}
	return 0
}

// Load is how much work waits in all, and how much is being done.
func (q *Queue[T]) Load() (waiting, running int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.waiting, q.running
}
