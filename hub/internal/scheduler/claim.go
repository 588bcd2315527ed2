package scheduler

import (
	"context"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
)

// afterStop is how long a statement may still take once the hub stops.
const afterStop = 5 * time.Second

// claimDue claims up to room connections. A stop does not cancel a claim, and one that
// got no answer may hold leases all the same: they are released before the next claim, or
// those connections would not be renewed until the leases expire.
func (s *Scheduler) claimDue(ctx context.Context, room int) ([]connection.Connection, error) {
	ctx, cancel := outlasting(ctx, afterStop)
	defer cancel()
	if err := s.forget(ctx); err != nil {
		return nil, err
	}
	c := claim{owner: s.o.Source.Owner(), mark: s.claims%marks + 1}
	s.claims++
	due, err := s.o.Store.Renewals.ClaimDue(ctx, s.o.Source.Now(), c.owner, s.o.Lease, c.mark, room)
	if err != nil {
		c.over = time.Now().Add(s.o.Lease)
		s.unanswered = append(s.unanswered, c)
	}
	return due, err
}

// claim is one that may have taken leases.
type claim struct {
	owner string
	mark  int
	over  time.Time // when they have run out
}

// marks is how many marks Store.ClaimDue has.
const marks = 999

// forget releases what claims without an answer may have taken.
func (s *Scheduler) forget(ctx context.Context) error {
	for len(s.unanswered) > 0 {
		c := s.unanswered[len(s.unanswered)-1]
		if time.Now().Before(c.over) {
			if err := s.o.Store.Renewals.FreeClaimed(ctx, c.owner, c.mark); err != nil {
				return err
			}
		}
		s.unanswered = s.unanswered[:len(s.unanswered)-1]
	}
	return nil
}

// giveBack frees what was claimed and will not be renewed, when the hub stops.
func (s *Scheduler) giveBack(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), afterStop)
	defer cancel()
	var ids []string
	for _, c := range s.queue.Drain() {
		ids = append(ids, c.ID)
	}
	err := s.o.Store.Renewals.FreeLeases(ctx, s.o.Source.Owner(), ids...)
	if err == nil {
		err = s.forget(ctx)
	}
	if err != nil {
		s.o.Logger.Warn("release leases failed, they will expire", "connections", len(ids), "error", err)
	}
}

// outlasting returns a context that ends by after ctx has ended.
func outlasting(ctx context.Context, by time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	forget := context.AfterFunc(ctx, func() { time.AfterFunc(by, cancel) })
	return longer, func() {
		forget()
		cancel()
	}
}
