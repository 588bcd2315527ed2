package pluginhost

import (
	"testing"
	"time"
)

func TestWhenAFailedPluginMayStartAgain(t *testing.T) {
	type failure struct {
		at, upFor time.Duration // since the test began
		wait      time.Duration // expected, without jitter
		spent     bool
	}
	const s, m = time.Second, time.Minute
	for name, failures := range map[string][]failure{
		"at once the first time": {{at: 0}},
		"then later and later":   {{at: 0}, {at: s, wait: s / 2}, {at: 2 * s, wait: s}, {at: 4 * s, wait: 2 * s}},
		"the budget is five in ten minutes": {
			{at: 0}, {at: s, wait: s / 2}, {at: 2 * s, wait: s}, {at: 4 * s, wait: 2 * s},
			{at: 9 * m, wait: 5 * m, spent: true}, {at: 14 * m, wait: 5 * m, spent: true}, {at: 30 * m, wait: 5 * m, spent: true},
		},
		"at once after a good minute": {{at: 0}, {at: s, wait: s / 2}, {at: 2 * m, upFor: m}, {at: 3 * m, wait: s / 2}},
		"good minutes do not renew the budget": {
			{at: 0}, {at: m, upFor: m}, {at: 2 * m, upFor: m}, {at: 3 * m, upFor: m}, {at: 4 * m, upFor: m, wait: 5 * m, spent: true},
		},
		"ten good minutes do": {
			{at: 0}, {at: m, wait: s / 2}, {at: 15 * m, upFor: 11 * m}, {at: 16 * m, wait: s / 2}, {at: 17 * m, wait: s},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var r restarts
			begin := time.Now()
			for i, f := range failures {
				now := begin.Add(f.at)
				r.failed(now, f.upFor, 0.5)
				if wait, never := r.wait(now); wait != f.wait || never || r.spent != f.spent {
					t.Fatalf("failure %d: wait %s, never %t, spent %t", i, wait, never, r.spent)
				}
			}
		})
	}
}

func TestASuccessfulProbeMakesAPluginUsable(t *testing.T) {
	var r restarts
	now := time.Now()
	for range failureBudget {
		r.failed(now, 0, 0.5)
	}
	if wait, _ := r.wait(now.Add(4 * time.Minute)); wait != time.Minute {
		t.Fatalf("the probe is in %s", wait)
	}
	r.ready()
	if wait, never := r.wait(now); wait != 0 || never || r.spent {
		t.Fatal("it is still held back")
	}
	r.failed(now.Add(time.Second), 0, 0.5)
	if !r.spent {
		t.Fatal("the failures of the last minutes are forgotten")
	}
}

func TestWaitsAreSpreadAndBounded(t *testing.T) {
	for n := 2; n < 80; n++ {
		least, most := waitAfter(n, 0), waitAfter(n, 0.999999)
		if least <= 0 || most > longestWait*12/10 || least >= most {
			t.Fatalf("after %d failures: %s to %s", n, least, most)
		}
	}
}

// Whoever kills a plugin again and again, by hand or by the kernel's word, has it back
// within a moment of the last kill.
func TestAKilledPluginIsBackSoonHoweverOften(t *testing.T) {
	var r restarts
	now := time.Now()
	for n := range 100 {
		now = now.Add(2 * time.Second)
		r.killed(now, time.Second, 0.999999)
		if wait, never := r.wait(now); wait > afterKill*12/10 || never || r.spent {
			t.Fatalf("after %d kills: wait %s, never %t, spent %t", n+1, wait, never, r.spent)
		}
		r.ready()
	}
	r.failed(now, 0, 0.5)
	if r.spent {
		t.Error("kills used up the budget of failures")
	}
}
