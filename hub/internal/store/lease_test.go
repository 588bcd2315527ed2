package store_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

func TestLeaseHasOneWinnerAndCanBeRetaken(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		c := addGranted(t, s, addService(t, s, "portal").ID, "sales")
		race := func(now time.Time) (winner string) {
			var wins atomic.Int32
			var won atomic.Value
			var takers sync.WaitGroup
			for i := range 20 {
				takers.Go(func() {
					owner := fmt.Sprint("hub-", i)
					ok, err := s.TakeLease(t.Context(), c.ID, owner, now, time.Minute)
					if err != nil {
						t.Error(err)
					}
					if ok {
						wins.Add(1)
						won.Store(owner)
					}
				})
			}
			takers.Wait()
			if wins.Load() != 1 {
				t.Fatalf("%d winners", wins.Load())
			}
			return won.Load().(string)
		}
		first := race(noon)
		take := func(owner string, now time.Time) bool {
			ok, err := s.TakeLease(t.Context(), c.ID, owner, now, time.Minute)
			check(t, err)
			return ok
		}
		if take("another", noon.Add(59*time.Second)) {
			t.Error("a running lease was taken")
		}
		if !take(first, noon.Add(time.Second)) {
			t.Error("the owner did not get its own lease again")
		}
		if take("another", noon.Add(time.Minute)) {
			t.Error("the owner's lease was not prolonged")
		}
		second := race(noon.Add(time.Hour))
		check(t, s.FreeLeases(t.Context(), "somebody else", c.ID))
		if take("another", noon.Add(time.Hour)) {
			t.Error("a stranger freed the lease")
		}
		check(t, s.FreeLeases(t.Context(), second, c.ID))
		if !take("another", noon.Add(time.Hour)) {
			t.Error("a free lease was refused")
		}
		if ok, err := s.TakeLease(t.Context(), store.NewID(), "me", noon, time.Minute); ok || err != nil {
			t.Errorf("the lease of a connection that is gone: %v, %v", ok, err)
		}
	})
}

func TestWhatIsDueIsClaimedOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		svc := addService(t, s, "portal")
		const due = 60
		for i := range due {
			addGranted(t, s, svc.ID, fmt.Sprintf("c%02d", i))
		}
		paused := addGranted(t, s, svc.ID, "paused")
		check(t, s.UpdateConnection(t.Context(), paused.Paused(noon), 1))
		now := noon.Add(2 * time.Hour)
		var mu sync.Mutex
		claims := map[string]int{}
		var claimers sync.WaitGroup
		for i := range 8 {
			claimers.Go(func() {
				for {
					got, err := s.ClaimDue(t.Context(), now, fmt.Sprint("hub-", i), time.Minute, 5)
					if err != nil {
						t.Error(err)
						return
					}
					if len(got) > 5 {
						t.Errorf("%d claimed at once", len(got))
					}
					mu.Lock()
					for _, c := range got {
						claims[c.Name]++
						if c.Tokens.RefreshToken != "plain-refresh-1" {
							t.Error("a claimed connection has no tokens")
						}
					}
					mu.Unlock()
					if len(got) == 0 {
						return
					}
				}
			})
		}
		claimers.Wait()
		if len(claims) != due {
			t.Errorf("%d of %d were claimed", len(claims), due)
		}
		for name, n := range claims {
			if n != 1 {
				t.Errorf("%s was claimed %d times", name, n)
			}
		}
		again, err := s.ClaimDue(t.Context(), now.Add(time.Minute), "late", time.Minute, 1000)
		check(t, err)
		if len(again) != due {
			t.Errorf("after the leases ran out %d were claimed", len(again))
		}
	})
}

func TestNextDueLooksBehindLeases(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		next := func() time.Time {
			at, err := s.NextDueAt(t.Context())
			check(t, err)
			return at
		}
		if at := next(); !at.IsZero() {
			t.Fatalf("nothing is due, but at %s", at)
		}
		svc := addService(t, s, "portal")
		c := addGranted(t, s, svc.ID, "sales")
		if at := next(); !at.Equal(cut(c.Due)) {
			t.Errorf("next %s, want %s", at, c.Due)
		}
		if got, err := s.ClaimDue(t.Context(), c.Due.Add(-time.Second), "me", time.Minute, 9); err != nil || len(got) != 0 {
			t.Errorf("claimed %d before the time, %v", len(got), err)
		}
		now := cut(c.Due).Add(time.Second)
		_, err := s.ClaimDue(t.Context(), now, "me", time.Minute, 9)
		check(t, err)
		if at := next(); !at.Equal(now.Add(time.Minute)) {
			t.Errorf("next %s, want the end of the lease %s", at, now.Add(time.Minute))
		}
		check(t, s.FreeLeases(t.Context(), "me", c.ID))
		if at := next(); !at.Equal(cut(c.Due)) {
			t.Errorf("next %s, want %s", at, c.Due)
		}
	})
}

// Cost follows what is due: the claim must not read what is not.
func TestTheClaimReadsNoMoreThanWhatIsDue(t *testing.T) {
	file := "sqlite:" + filepath.Join(t.TempDir(), "evergrant.db")
	for name, address := range map[string]func(t *testing.T) string{
		store.SQLite:     func(*testing.T) string { return file },
		store.PostgreSQL: func(t *testing.T) string { t.Helper(); return storetest.Postgres(t) },
	} {
		t.Run(name, func(t *testing.T) {
			at := address(t)
			s := storetest.Open(t, at)
			addGranted(t, s, addService(t, s, "portal").ID, "sales")
			storetest.Multiply(t, at, "sales", 20_000, noon)
			plan := store.ClaimPlan(t, s, noon.Add(time.Hour), 100)
			if !strings.Contains(plan, "connections_due_at") || strings.Contains(plan, "Seq Scan") || strings.Contains(plan, "SCAN connections") {
				t.Errorf("the plan of a claim:\n%s", plan)
			}
			plan = store.NextDuePlan(t, s)
			if !strings.Contains(plan, "connections_due_at") || !strings.Contains(plan, "connections_lease_until") || strings.Contains(plan, "connections_standing") {
				t.Errorf("the plan of finding what is due next:\n%s", plan)
			}
		})
	}
}

func TestAReplicaGivesBackItsOwnLeasesOnly(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		svc := addService(t, s, "portal")
		holders := map[string]string{}
		for name, lease := range map[string]struct {
			owner string
			long  time.Duration
		}{
			"hub-1 short": {"hub-1", time.Hour}, "hub-1 long": {"hub-1", 2 * time.Hour}, "hub-2": {"hub-2", time.Hour},
		} {
			id := addGranted(t, s, svc.ID, strings.ReplaceAll(name, " ", "-")).ID
			holders[name] = id
			if ok, err := s.TakeLease(t.Context(), id, lease.owner, noon, lease.long); err != nil || !ok {
				t.Fatal(ok, err)
			}
		}
		for _, step := range []struct {
			what string
			give func() error
			free []string
		}{
			{"none", func() error { return s.FreeLeases(t.Context(), "hub-1") }, nil},
			{"those of a claim of hub-1", func() error { return s.FreeLeasesUntil(t.Context(), "hub-1", noon.Add(time.Hour)) }, []string{"hub-1 short"}},
			{"named ones of hub-2", func() error { return s.FreeLeases(t.Context(), "hub-2", holders["hub-1 long"], holders["hub-2"]) }, []string{"hub-2", "hub-1 short"}},
			{"all of hub-1", func() error { return s.FreeLeasesOf(t.Context(), "hub-1") }, []string{"hub-1 long", "hub-1 short", "hub-2"}},
		} {
			check(t, step.give())
			for name, id := range holders {
				ok, err := s.TakeLease(t.Context(), id, "hub-3", noon.Add(time.Second), time.Minute)
				check(t, err)
				if ok != slices.Contains(step.free, name) {
					t.Errorf("given back: %s; the lease of %s is free: %t", step.what, name, ok)
				}
				if ok {
					check(t, s.FreeLeases(t.Context(), "hub-3", id))
				}
			}
		}
	})
}
