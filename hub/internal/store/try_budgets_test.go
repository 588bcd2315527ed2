package store_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/hub/internal/waittest"
)

func spend(t *testing.T, s *store.Store, budgets ...peopledb.TryBudget) time.Duration {
	t.Helper()
	wait, err := s.People.SpendTries(t.Context(), budgets...)
	check(t, err)
	return wait
}

func TestATryIsTakenFromEveryBudgetOrFromNone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		small, large := peopledb.TryBudget{Key: "small", Burst: 2, Every: time.Hour}, peopledb.TryBudget{Key: "large", Burst: 4, Every: time.Hour}
		for n := range 2 {
			if wait := spend(t, s, large, small); wait != 0 {
				t.Fatalf("try %d waits %s", n, wait)
			}
		}
		if wait := spend(t, s, large, small); wait < 59*time.Minute || wait > time.Hour {
			t.Errorf("the third waits %s", wait)
		}
		for range 2 { // the refused one has cost nothing
			if wait := spend(t, s, large); wait != 0 {
				t.Fatalf("a try is missing: wait %s", wait)
			}
		}
		if wait := spend(t, s, large); wait == 0 {
			t.Error("a fifth try was made")
		}
		check(t, s.People.ReturnTries(t.Context(), large))
		if wait := spend(t, s, large); wait != 0 {
			t.Errorf("the try that was given back waits %s", wait)
		}
		check(t, s.People.ForgetTries(t.Context(), small.Key))
		if wait := spend(t, s, small); wait != 0 {
			t.Errorf("a budget that was forgotten waits %s", wait)
		}
	})
}

// However many come at one moment, on however many connections, no more than the budget
// are let through.
func TestTriesAtOneMomentAreCountedOneByOne(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		mine := peopledb.TryBudget{Key: "mine", Burst: 5, Every: time.Hour}
		var let atomic.Int64
		var all sync.WaitGroup
		for n := range 60 {
			all.Go(func() {
				own := peopledb.TryBudget{Key: fmt.Sprint("own", n), Burst: 1, Every: time.Hour}
				wait, err := s.People.SpendTries(t.Context(), own, mine)
				if err != nil {
					t.Error(err)
				} else if wait == 0 {
					let.Add(1)
				}
			})
		}
		all.Wait()
		if let.Load() != 5 {
			t.Errorf("%d were let through", let.Load())
		}
	})
}

func TestABudgetFillsWithTimeAndItsRowGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := storetest.OpenWith(t, store.Options{DataDir: storetest.Folder(t)})
		b := peopledb.TryBudget{Key: "b", Burst: 3, Every: time.Minute}
		for range 3 {
			spend(t, s, b)
		}
		if wait := spend(t, s, b); wait != time.Minute {
			t.Errorf("wait %s", wait)
		}
		waittest.Let(time.Minute)
		if wait := spend(t, s, b); wait != 0 {
			t.Errorf("after a minute: %s", wait)
		}
		if wait := spend(t, s, b); wait != time.Minute {
			t.Errorf("then: %s", wait)
		}
		rows := func() int { return store.Count(t, s, "try_budgets") }
		check(t, s.People.PruneTries(t.Context()))
		if rows() != 1 {
			t.Error("a budget that is spent was removed")
		}
		waittest.Let(3 * time.Minute)
		check(t, s.People.PruneTries(t.Context()))
		if rows() != 0 {
			t.Error("a whole budget is still there")
		}
		for range 3 {
			if wait := spend(t, s, b); wait != 0 {
				t.Errorf("a whole budget waits %s", wait)
			}
		}
	})
}
