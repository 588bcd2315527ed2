package newest_test

import (
	"testing"

	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

// Whether a row may be behind is known without a look at the file, and a "no" is right after
// a restart, a removal and a restore too: a spent refresh token would go out otherwise.
func TestWhetherARowMayBeBehindIsKnownWithoutTheFile(t *testing.T) {
	dir, box := t.TempDir(), storetest.Box(t)
	k, _ := openIn(t, dir, box)
	beyond := func(when string, generation int64, want bool) {
		t.Helper()
		if got := k.Beyond("c1", generation); got != want {
			t.Errorf("%s: beyond generation %d: %t", when, generation, got)
		}
	}
	beyond("before anything was kept", 0, false)
	check(t, k.Put(t.Context(), entry("c1", "l1", 3, "r3")))
	check(t, k.Put(t.Context(), entry("c1", "l1", 2, "r2")))
	beyond("after a put", 2, true)
	beyond("after a put", 3, false)
	check(t, k.Put(t.Context(), entry("c1", "l2", 5, "r5")))
	beyond("in another lineage", 4, true)
	check(t, k.Close())
	k, _ = openIn(t, dir, box)
	beyond("after a restart", 4, true)
	beyond("after a restart", 5, false)
	check(t, k.Drop(t.Context(), "c1"))
	beyond("after it was dropped", 0, false)
	check(t, k.Put(t.Context(), entry("c1", "l2", 6, "r6")))
	beyond("after it came back", 5, true)
}
