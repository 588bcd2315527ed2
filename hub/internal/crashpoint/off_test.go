//go:build !crashpoints && !simulation

package crashpoint

import "testing"

func TestTheHubThatPeopleRunHasNoCrashPoints(t *testing.T) {
	for _, step := range Steps {
		t.Setenv("EVERGRANT_TEST_CRASH", step)
		At(step) // would end the test
	}
	if n := testing.AllocsPerRun(100, func() { At(Saved) }); n != 0 {
		t.Errorf("a step costs %v allocations", n)
	}
}
