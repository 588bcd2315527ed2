package scheduler

import (
	"testing"
	"time"
)

func TestAClockThatWasSetBackIsNoticed(t *testing.T) {
	for name, tt := range map[string]struct {
		wall, monotonic time.Duration
		want            bool
	}{
		"time passes":          {2 * time.Second, 2 * time.Second, false},
		"put right a little":   {-time.Second, 2 * time.Second, false},
		"set back an hour":     {2*time.Second - time.Hour, 2 * time.Second, true},
		"set forward":          {time.Hour, 2 * time.Second, false},
		"woke from suspension": {8 * time.Hour, 2 * time.Second, false},
	} {
		if got := setBack(tt.wall, tt.monotonic); got != tt.want {
			t.Errorf("%s: %t", name, got)
		}
	}
	var w wallClock
	if !w.wentBack(time.Now()) || w.wentBack(time.Now()) {
		t.Error("the schedule is to be looked at once at the start, and not again while time passes as it should")
	}
}
