package scheduler

import (
	"context"
	"time"
)

// Round claims what is due once, without anybody to renew it, after a claim whose
// leases end at until has got no answer. It returns how many connections it has got.
func (s *Scheduler) Round(ctx context.Context, until time.Time) int {
	s.unanswered = append(s.unanswered, until)
	s.round(ctx)
	waiting, _ := s.queue.Load()
	return waiting
}
