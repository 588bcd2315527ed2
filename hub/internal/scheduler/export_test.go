package scheduler

import (
	"context"
	"time"
)

// Round claims what is due once, without anybody to renew it, after a claim with a mark
// has got no answer. It returns how many connections it has got.
func (s *Scheduler) Round(ctx context.Context, mark int) int {
	s.unanswered = append(s.unanswered, claim{owner: s.o.Source.Owner(), mark: mark, over: time.Now().Add(time.Minute)})
	s.round(ctx)
	waiting, _ := s.queue.Load()
	return waiting
}
