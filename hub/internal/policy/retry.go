package policy

import "time"

// RetryFor is how long the sending of a message is retried.
const RetryFor = 24 * time.Hour

// waits between the first tries; later ones are an hour apart.
var waits = []time.Duration{
	15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 20 * time.Minute, 40 * time.Minute,
}

// Retry returns when a message that was not accepted for the n-th time is retried. asked
// is the least wait that the service requested. ok is false once retries are over: first
// is when it was due.
func Retry(now, first time.Time, n int, asked time.Duration) (at time.Time, ok bool) {
	wait := time.Hour
	if n >= 1 && n <= len(waits) {
		wait = waits[n-1]
	}
	// Spread by the time itself, so that many that failed together come apart.
	wait += time.Duration(now.UnixNano() % int64(wait/10))
	at = now.Add(max(wait, asked))
	return at, at.Before(first.Add(RetryFor))
}
