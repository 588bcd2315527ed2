package scheduler

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/endpoint"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/tokensource"
	"github.com/evergrant/evergrant/hub/internal/tracing"
)

// Options of a Scheduler. Zero values get defaults.
type Options struct {
	Store   *store.Store
	Source  *tokensource.Source
	Limiter *endpoint.Limiter
	Logger  hclog.Logger
	// Workers bounds renewals at one time, over all endpoints; 128.
	Workers int
	// Lease is how long a claim holds; 60 s.
	Lease time.Duration
	// LongestSleep bounds the time between two looks; 2 s. Another replica may add
	// an earlier due time at any moment, so it should not be long where there is one.
	LongestSleep time.Duration
	// ShortestSleep is the least time between two claims without a Wake; 50 ms.
	ShortestSleep time.Duration
}

// Scheduler renews what is due until its context ends.
type Scheduler struct {
	o     Options
	wake  chan struct{}
	queue *endpoint.Queue[connection.Connection]
	// claims counts claims, and unanswered are those that got no answer. Only claim and,
	// after it, giveBack use them.
	claims     int
	unanswered []claim
	// behind is set while more is due than workers were free for: then a worker that gets
	// free starts a claim.
	behind atomic.Bool
	// next is when the next look is planned, in Unix nanoseconds.
	next atomic.Int64
}

// New returns a Scheduler; Run starts it.
func New(o Options) *Scheduler {
	if o.Workers <= 0 {
		o.Workers = 128
	}
	if o.Lease <= 0 {
		o.Lease = time.Minute
	}
	if o.LongestSleep <= 0 {
		o.LongestSleep = 2 * time.Second
	}
	if o.ShortestSleep <= 0 {
		o.ShortestSleep = 50 * time.Millisecond
	}
	return &Scheduler{o: o, wake: make(chan struct{}, 1), queue: endpoint.NewQueue[connection.Connection](o.Workers)}
}

// Wake makes the scheduler look at once, for example after an authorization.
func (s *Scheduler) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run returns when ctx has ended and the renewals that it began are over. What it
// has claimed and not begun is free by then, so that another replica need not wait
// for a lease to run out.
func (s *Scheduler) Run(ctx context.Context) {
	var renewals, dispatching sync.WaitGroup
	defer renewals.Wait()
	dispatching.Go(func() { s.dispatch(ctx, &renewals) })
	s.claim(ctx)
	dispatching.Wait() // nothing goes into the queue or out of it any more
	s.giveBack(ctx)
}

// claim fills the queue with what is due until ctx ends.
func (s *Scheduler) claim(ctx context.Context) {
	var clock wallClock
	for {
		if clock.wentBack(time.Now()) {
			s.correctClockSkew(ctx)
		}
		sleep := s.round(ctx)
		s.next.Store(s.o.Source.Now().Add(sleep).UnixNano())
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-time.After(sleep):
		}
	}
}

// round claims as much as the workers can soon take and returns how long to
// sleep. It claims in batches: a worker that gets free wakes this loop, but a
// claim for each would cost more than the renewals.
func (s *Scheduler) round(ctx context.Context) time.Duration {
	if err := s.o.Store.Detached(ctx); err != nil {
		return s.o.LongestSleep // a detached copy renews nothing
	}
	if s.o.Source.ClockDoubtful() {
		return s.o.LongestSleep // what is due is unknown
	}
	waiting, running := s.queue.Load()
	room := 2*s.o.Workers - waiting - running
	if s.behind.Store(room < s.o.Workers/2); s.behind.Load() {
		return s.o.LongestSleep
	}
	due, err := s.claimDue(ctx, room)
	if err != nil {
		if ctx.Err() == nil {
			s.o.Logger.Error("claim due connections failed, retrying", "error", err)
		}
		return s.o.LongestSleep
	}
	for _, c := range due {
		s.queue.Push(s.o.Limiter.KeyFor(c.ServiceID), c)
	}
	if len(due) == room {
		s.behind.Store(true)
		return s.o.ShortestSleep
	}
	return s.untilNext(ctx)
}

// dispatch hands what is queued to workers, endpoint by endpoint in turn, until
// ctx ends.
func (s *Scheduler) dispatch(ctx context.Context, renewals *sync.WaitGroup) {
	for ctx.Err() == nil {
		c, done, err := s.queue.Take(ctx)
		if err != nil {
			return
		}
		renewals.Go(func() {
			defer func() {
				done()
				if s.behind.Load() {
					s.Wake()
				}
			}()
			if due := s.renew(ctx, c); !due.IsZero() && due.UnixNano() < s.next.Load() {
				s.Wake() // it is due again before the next claim
			}
		})
	}
}

// renew returns when the connection is due next; zero if that is not known.
func (s *Scheduler) renew(ctx context.Context, c connection.Connection) time.Time {
	// RenewClaimed outlives ctx by itself; a stop waits for it in Source.Close.
	ctx = tracing.Named(context.WithoutCancel(ctx), "due-"+store.NewID()[24:])
	renewed, err := s.o.Source.RenewClaimed(ctx, c)
	if err != nil {
		tracing.Log(ctx, s.o.Logger).Error("scheduled renewal failed", "connection", c.Name, "error", err)
		return time.Time{}
	}
	return renewed.Due
}

func (s *Scheduler) untilNext(ctx context.Context) time.Duration {
	next, err := s.o.Store.Renewals.NextDueAt(ctx)
	if err != nil || next.IsZero() {
		return s.o.LongestSleep
	}
	return min(max(next.Sub(s.o.Source.Now()), s.o.ShortestSleep), s.o.LongestSleep)
}
