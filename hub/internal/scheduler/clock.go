package scheduler

import (
	"context"
	"time"
)

// wallClock notices when the wall clock is set back, by the monotonic one.
type wallClock struct{ last time.Time }

// backTolerance is the size of ordinary clock corrections.
const backTolerance = 30 * time.Second

// wentBack reports whether the wall clock was set back since the last look.
func (w *wallClock) wentBack(now time.Time) bool {
	last := w.last
	w.last = now
	if last.IsZero() {
		return true // unknown at the start
	}
	return setBack(now.Round(0).Sub(last.Round(0)), now.Sub(last))
}

// setBack compares how much time passed by the wall clock and in truth.
func setBack(wall, monotonic time.Duration) bool { return wall < monotonic-backTolerance }

// correctClockSkew puts the schedule right after the clock was set back: what was dated by a
// clock that was ahead would be due too late.
func (s *Scheduler) correctClockSkew(ctx context.Context) {
	n, err := s.o.Store.Renewals.CorrectClockSkew(ctx, s.o.Source.Now())
	switch {
	case err != nil && ctx.Err() == nil:
		s.o.Logger.Error("correct clock skew failed", "error", err)
	case n > 0:
		s.o.Logger.Warn("token sets dated in the future: clock skew corrected, renewals rescheduled", "connections", n)
	}
}
