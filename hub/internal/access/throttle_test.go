package access

import (
	"fmt"
	"testing"
	"time"
)

// Whoever guesses from ever new addresses does not make the hub forget the login that
// is guessed at.
func TestManyAddressesDoNotClearTheThrottle(t *testing.T) {
	throttle := newThrottle()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for n := range 3 * maxKeys {
		throttle.failed(now, "login anna", fmt.Sprintf("address %d", n))
		if n >= freeTries && throttle.wait(now, "login anna") == 0 {
			t.Fatalf("after %d guesses from as many addresses the login may be guessed at again at once", n)
		}
	}
	if n := throttle.tries.Len(); n > maxKeys {
		t.Errorf("%d keys are kept", n)
	}
	if throttle.wait(now.Add(triesKept+time.Minute), "login anna") != 0 {
		t.Error("guesses of long ago still count")
	}
	throttle.forget("login anna")
	if throttle.wait(now, "login anna") != 0 {
		t.Error("a login that succeeded still waits")
	}
}
