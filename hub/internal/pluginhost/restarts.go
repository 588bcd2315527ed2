package pluginhost

import (
	"slices"
	"time"
)

const (
	failureBudget = 5
	failureWindow = 10 * time.Minute
	probeEvery    = 5 * time.Minute
	steadyAfter   = time.Minute
	firstBackoff  = 500 * time.Millisecond
	longestWait   = time.Minute
	// afterKill is the longest wait after a process that was ready was killed from
	// outside, which is no failure of the plugin.
	afterKill = time.Second
)

// restarts decides when a plugin that failed may be started again. It is pure:
// the time and the jitter are arguments.
type restarts struct {
	// failures are those of the last ten minutes.
	failures []time.Time
	// streak counts the failures since a process was last up for a minute.
	streak int
	// notBefore is when the next start may happen.
	notBefore time.Time
	// spent is set once the budget of failures is used up, until a start succeeds.
	spent bool
	// defect is set by a failure that another start cannot cure.
	defect bool
}

// failed counts a failure of a process that had been ready for upFor, zero if it
// never was. Jitter is from [0, 1).
func (r *restarts) failed(now time.Time, upFor time.Duration, jitter float64) {
	if upFor >= failureWindow {
		*r = restarts{}
	}
	if upFor >= steadyAfter {
		r.streak = 0
	}
	r.failures = slices.DeleteFunc(append(r.failures, now), func(t time.Time) bool { return now.Sub(t) >= failureWindow })
	r.streak++
	if r.spent = r.spent || len(r.failures) >= failureBudget; r.spent {
		r.notBefore = now.Add(probeEvery)
		return
	}
	r.notBefore = now.Add(waitAfter(r.streak, jitter))
}

// killed counts the end of a process that had been ready and was killed: by hand, or by
// the kernel for want of memory. It is started again soon however often that happens, and
// the budget is not charged.
func (r *restarts) killed(now time.Time, upFor time.Duration, jitter float64) {
	if upFor >= steadyAfter {
		r.streak = 0
	}
	r.streak++
	r.notBefore = now.Add(min(waitAfter(r.streak, jitter), time.Duration(float64(afterKill)*(0.8+0.4*jitter))))
}

// waitAfter is the wait after the n-th failure in a row: none after the first,
// then half a second that doubles up to a minute, 20 % up or down.
func waitAfter(n int, jitter float64) time.Duration {
	if n <= 1 {
		return 0
	}
	wait := min(longestWait, firstBackoff<<min(n-2, 10))
	return time.Duration(float64(wait) * (0.8 + 0.4*jitter))
}

// ready notes that a start succeeded.
func (r *restarts) ready() { r.spent, r.defect, r.notBefore = false, false, time.Time{} }

// wait is how long the next start has to wait; never is set if no start helps.
func (r *restarts) wait(now time.Time) (wait time.Duration, never bool) {
	return max(0, r.notBefore.Sub(now)), r.defect
}
