package exchange

import (
	"sync"
	"time"
)

// Budget calls a function once after a time in which this process ran and the budget
// was not paused. A process that is stopped (a frozen virtual machine, SIGSTOP) uses
// up next to nothing of it, and has a moment after it wakes to read what arrived
// meanwhile. It is safe for concurrent use.
type Budget struct {
	tick time.Duration
	end  func()

	mu     sync.Mutex
	left   time.Duration
	since  time.Time // of what is not yet counted
	timer  *time.Timer
	paused bool
	over   bool
	late   bool // the last look was late
}

const (
	// ticks is how many looks a budget takes, at most one a second and at least one
	// each shortestTick.
	ticks        = 50
	shortestTick = 5 * time.Millisecond
	longestTick  = time.Second
	// lateness is how late a tick may be on a busy machine.
	lateness = 100 * time.Millisecond
	// afterPause is what is left at least after this process was stopped.
	afterPause = 2 * time.Second
)

// NewBudget starts a budget; end is called in a goroutine of its own.
func NewBudget(d time.Duration, end func()) *Budget {
	b := &Budget{tick: min(max(d/ticks, shortestTick), longestTick), end: end, left: d, since: time.Now()}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.arm()
	return b
}

// arm sets the timer for the next look. The caller holds mu.
func (b *Budget) arm() {
	next := min(b.tick, max(b.left, 0))
	if b.timer == nil {
		b.timer = time.AfterFunc(next, b.look)
		return
	}
	b.timer.Reset(next)
}

func (b *Budget) look() {
	b.mu.Lock()
	if b.over || b.paused {
		b.mu.Unlock()
		return
	}
	b.count()
	if b.left > 0 {
		b.arm()
		b.mu.Unlock()
		return
	}
	b.over = true
	b.mu.Unlock()
	b.end()
}

// count subtracts the time that has passed. A late tick means that the process hardly ran
// in between; it costs two ticks, and the first one of a row leaves at least afterPause.
// The caller holds mu.
func (b *Budget) count() {
	now := time.Now()
	passed := max(now.Sub(b.since), now.Round(0).Sub(b.since.Round(0)), 0)
	b.since = now
	late := passed > 2*b.tick+lateness
	switch {
	case late && !b.late:
		b.left = max(b.left-2*b.tick, min(b.left, afterPause))
	case late:
		b.left -= 2 * b.tick
	default:
		b.left -= passed
	}
	b.late = late
}

// Pause stops the budget until Resume.
func (b *Budget) Pause() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over || b.paused {
		return
	}
	b.count()
	b.paused = true
	b.timer.Stop()
}

// Resume ends a Pause.
func (b *Budget) Resume() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over || !b.paused {
		return
	}
	b.paused, b.since = false, time.Now()
	b.arm()
}

// Stop ends the budget without a call. It reports false if the call was made or is
// being made.
func (b *Budget) Stop() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	stopped := !b.over
	b.over = true
	b.timer.Stop()
	return stopped
}
