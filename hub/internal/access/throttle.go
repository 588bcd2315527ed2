package access

import (
	"sync"
	"time"

	"github.com/evergrant/evergrant/hub/internal/bounded"
)

// throttle slows guesses down: after a few failures for a key each further one
// doubles the waiting time.
type throttle struct {
	mu    sync.Mutex // held from reading tries to writing them
	tries *bounded.Map[string, tries]
}

type tries struct {
	failures int
	until    time.Time
	last     time.Time
}

const (
	freeTries   = 5
	longestWait = 5 * time.Minute
	triesKept   = 30 * time.Minute
	maxKeys     = 10_000
)

func newThrottle() *throttle { return &throttle{tries: bounded.New[string, tries](maxKeys)} }

// of is what is known of a key; nothing that is too long ago.
func (t *throttle) of(now time.Time, key string) tries {
	v, ok := t.tries.Get(key)
	if !ok || now.Sub(v.last) > triesKept {
		return tries{}
	}
	return v
}

// wait is how long the keys have to wait; zero if they may go on.
func (t *throttle) wait(now time.Time, keys ...string) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	var longest time.Duration
	for _, k := range keys {
		longest = max(longest, t.of(now, k).until.Sub(now))
	}
	return max(longest, 0)
}

func (t *throttle) failed(now time.Time, keys ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, k := range keys {
		v := t.of(now, k)
		v.failures++
		v.last = now
		if over := v.failures - freeTries; over >= 0 {
			v.until = now.Add(min(longestWait, time.Second<<min(over, 20)))
		}
		t.tries.Put(k, v)
	}
}

func (t *throttle) forget(keys ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, k := range keys {
		t.tries.Delete(k)
	}
}
