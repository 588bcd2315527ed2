package installer_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/installer"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/plugindb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/hub/internal/waittest"
)

// slotOf is what is to run as acme.
func slotOf(t *testing.T, st *store.Store) plugindb.Slot {
	t.Helper()
	slots, err := st.Plugins.Slots(t.Context())
	if err != nil || len(slots) != 1 {
		t.Fatal(slots, err)
	}
	return slots[0]
}

func TestAVersionByWhichServicesLoseIsRefusedAndNamesWhat(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		r := newReplica(t, st)
		var sums []string
		for _, version := range []string{"1.0.0", "1.1.0"} {
			p, err := r.install(t, packed(t, nil, "acme", version, acme))
			if err != nil {
				t.Fatal(err)
			}
			sums = append(sums, p.Sum)
		}
		poorer, err := r.install(t, packed(t, nil, "acme", "2.0.0", "evergrant-provider-poorer"))
		if refused := wantCode(t, err, installer.CodeLosses); !strings.Contains(refused.Message, "the service shop could not renew") {
			t.Error(refused.Message)
		}
		works(t, r)
		if slot := slotOf(t, st); slot.Sum != sums[1] || slot.Previous != sums[0] {
			t.Errorf("the slot is %+v: the refusal has changed it", slot)
		}
		if p, err := st.Plugins.Package(t.Context(), poorer.Sum); err != nil || p.State != installer.Approved {
			t.Errorf("it is %s, %v: a question is no failure", p.State, err)
		}
		if err := r.Enable(t.Context(), poorer.Sum, installer.Consent{Losses: true}); err != nil || r.running() != poorer.Sum {
			t.Errorf("accepted by name: %v, %s runs", err, r.running())
		}
		other := newReplica(t, st)
		if err := other.Follow(t.Context()); err != nil || other.running() != poorer.Sum {
			t.Errorf("the other replica runs %q, %v", other.running(), err)
		}
	})
}

func TestARefusedVersionLeavesTheTargetOfTheRollback(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		r := newReplica(t, st)
		one, err := r.install(t, packed(t, nil, "acme", "1.0.0", acme))
		if err != nil {
			t.Fatal(err)
		}
		two, err := r.install(t, packed(t, nil, "acme", "1.1.0", acme))
		if err != nil {
			t.Fatal(err)
		}
		_, err = r.install(t, packed(t, nil, "acme", "2.1.0", "evergrant-provider-unwanted"))
		wantCode(t, err, installer.CodeFailed)
		waittest.Until(t, "the slot is back", func() bool { return slotOf(t, st).Sum == two.Sum })
		if slot := slotOf(t, st); slot.Previous != one.Sum {
			t.Errorf("the rollback goes to %q, not to %s", slot.Previous, one.Sum)
		}
		if err := r.Rollback(t.Context(), "acme"); err != nil || r.running() != one.Sum {
			t.Errorf("rolled back: %v, %s runs", err, r.running())
		}
	})
}

func TestFoldersOfVersionsThatAreNotGoneBackToAreSwept(t *testing.T) {
	t.Parallel()
	st := storetest.SQLite(t)
	r := newReplica(t, st)
	var sums []string
	for _, version := range []string{"1.0.0", "1.1.0", "1.2.0", "1.3.0"} {
		p, err := r.install(t, packed(t, nil, "acme", version, acme))
		if err != nil {
			t.Fatal(err)
		}
		sums = append(sums, p.Sum)
	}
	old := time.Now().Add(-2 * time.Hour)
	for _, sum := range sums {
		if err := os.Chtimes(filepath.Join(r.dir, sum), old, old); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	for n, want := range []bool{false, true, true, true} { // runs, before it, and what a refusal gives back
		if _, err := os.Stat(filepath.Join(r.dir, sums[n])); (err == nil) != want {
			t.Errorf("version %d is there: %t, want %t", n, err == nil, want)
		}
	}
	if err := r.Enable(t.Context(), sums[0], installer.Consent{Downgrade: true}); err != nil || r.running() != sums[0] {
		t.Errorf("the one that was swept does not come back: %v", err)
	}
}
