package exchange

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/evergrant/evergrant/hub/internal/waittest"
)

func TestABudgetEndsWhenItsTimeHasRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, d := range []time.Duration{10 * time.Millisecond, time.Second, 5 * time.Minute, time.Hour} {
			begun := time.Now()
			over := make(chan time.Duration, 1)
			NewBudget(d, func() { over <- time.Since(begun) })
			if took := <-over; took < d || took > d+d/ticks+longestTick {
				t.Errorf("a budget of %s ended after %s", d, took)
			}
		}
	})
}

func TestAPausedBudgetDoesNotRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		over := make(chan time.Duration, 1)
		b := NewBudget(30*time.Second, func() { over <- time.Since(begun) })
		waittest.Let(10 * time.Second)
		b.Pause()
		b.Pause() // twice is once
		waittest.Let(time.Hour)
		b.Resume()
		if took := <-over; took < time.Hour+30*time.Second || took > time.Hour+32*time.Second {
			t.Errorf("30 s with an hour's pause ended after %s", took)
		}
		if b.Stop() {
			t.Error("a budget that is over was stopped")
		}
	})
}

func TestAStoppedBudgetIsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(time.Second, func() { t.Error("called after Stop") })
		if !b.Stop() {
			t.Error("Stop says that it was too late")
		}
		b.Pause()
		b.Resume()
		waittest.Let(time.Minute)
	})
}

// A process that did not run cannot have read: what has arrived meanwhile is read
// before the budget ends.
func TestAStoppedProcessHasTimeToReadWhenItWakes(t *testing.T) {
	for name, left := range map[string]time.Duration{"much left": 4 * time.Minute, "little left": 3 * time.Second, "hardly any left": time.Second} {
		t.Run(name, func(t *testing.T) {
			b := &Budget{tick: longestTick, left: left, since: time.Now().Add(-time.Hour)}
			b.count()
			if want := min(left, afterPause); b.left < want || b.left < left-2*longestTick {
				t.Errorf("%s left of %s after an hour's pause", b.left, left)
			}
		})
	}
	// A machine that is always late does not keep an exchange for ever.
	b := &Budget{tick: longestTick, left: 10 * time.Second}
	looks := 0
	for ; b.left > 0 && looks < 100; looks++ {
		b.since = time.Now().Add(-time.Minute)
		b.count()
	}
	if b.left > 0 {
		t.Errorf("%s left after %d late looks", b.left, looks)
	}
}
