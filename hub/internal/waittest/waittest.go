// Package waittest is where tests wait for what happens in its own time: in other
// goroutines and processes. Where time can be bent, testing/synctest does it instead. The
// linter keeps timers out of all other tests.
package waittest

import (
	"testing"
	"time"
)

// long is how long anything is waited for: far longer than it takes, so that only what
// does not happen at all fails a test on a busy machine.
const long = time.Minute

// Until asks again and again until check holds.
func Until(tb testing.TB, what string, check func() bool) {
	tb.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.After(long)
	for !check() {
		select {
		case <-ticker.C:
		case <-deadline:
			tb.Fatalf("did not happen in %s: %s", long, what)
		}
	}
}

// For receives what a channel sends; the zero value of a closed one.
func For[T any](tb testing.TB, what string, c <-chan T) (sent T) {
	tb.Helper()
	select {
	case sent = <-c:
	case <-time.After(long):
		tb.Fatalf("did not come in %s: %s", long, what)
	}
	return sent
}

// Let lets the time of a bubble of testing/synctest pass.
func Let(d time.Duration) {
	if time.Now().Year() > 2020 { // a bubble begins in 2000
		panic("waittest.Let outside of a bubble: it would wait in real time")
	}
	<-time.After(d)
}

// Slow is a service or a process of a test that takes its time.
func Slow(d time.Duration) { <-time.After(d) }

// Past waits until the wall clock has passed a moment: programs beside the test have it
// from the machine, so it cannot be bent.
func Past(tb testing.TB, at time.Time) {
	tb.Helper()
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-tb.Context().Done():
		tb.Fatal(tb.Context().Err())
	}
}
