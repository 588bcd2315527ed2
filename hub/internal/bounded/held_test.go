package bounded_test

import (
	"testing"

	"github.com/evergrant/evergrant/hub/internal/bounded"
)

func TestWhatIsHeldIsBoundedByKeyAndInSum(t *testing.T) {
	h := bounded.NewHeld(2, 3)
	leave, ok := h.Hold("a")
	if !ok {
		t.Fatal("the first")
	}
	for name, want := range []struct {
		key string
		ok  bool
	}{{"a", true}, {"a", false}, {"b", true}, {"b", false}, {"c", false}} {
		if _, ok := h.Hold(want.key); ok != want.ok {
			t.Errorf("%d: %s is held: %t", name, want.key, ok)
		}
	}
	leave()
	if _, ok := h.Hold("c"); !ok {
		t.Error("a place that was left is not given again")
	}
	if _, ok := (*bounded.Held)(nil).Hold("a"); !ok {
		t.Error("without bounds")
	}
}
