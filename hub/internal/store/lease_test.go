package store_test

import (
	"context"
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
		owners := enter(t, s, 20)
		race := func() (winner string) {
			var wins atomic.Int32
			var won atomic.Value
			var takers sync.WaitGroup
			for i := range 20 {
				takers.Go(func() {
					owner := owners[i]
					ok, err := s.Renewals.TakeLease(t.Context(), c.ID, owner, time.Minute)
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
		first, another := race(), storetest.Enter(t, s, "another")
		take := func(owner string, long time.Duration) bool {
			ok, err := s.Renewals.TakeLease(t.Context(), c.ID, owner, long)
			check(t, err)
			return ok
		}
		if take(another, time.Minute) {
			t.Error("a running lease was taken")
		}
		if !take(first, -time.Millisecond) {
			t.Error("the owner did not get its own lease again")
		}
		second := race() // it has run out
		check(t, s.Renewals.FreeLeases(t.Context(), "somebody else", c.ID))
		if take(another, time.Minute) {
			t.Error("a stranger freed the lease")
		}
		check(t, s.Renewals.FreeLeases(t.Context(), second, c.ID))
		if !take(another, time.Minute) {
			t.Error("a free lease was refused")
		}
		if ok, err := s.Renewals.TakeLease(t.Context(), store.NewID(), another, time.Minute); ok || err != nil {
			t.Errorf("the lease of a connection that is gone: %v, %v", ok, err)
		}
	})
}

// enter registers replicas and returns their names in leases.
func enter(t *testing.T, s *store.Store, n int) (owners []string) {
	t.Helper()
	for i := range n {
		owners = append(owners, storetest.Enter(t, s, fmt.Sprint("hub-", i)))
	}
	return owners
}

// The hub's clock says what is due; it says nothing of leases.
func TestAHubWhoseClockIsWrongTakesNoLeaseOfAnother(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		c := addGranted(t, s, addService(t, s, "portal").ID, "sales")
		right, wrong := storetest.Enter(t, s, "right"), storetest.Enter(t, s, "wrong")
		if ok, err := s.Renewals.TakeLease(t.Context(), c.ID, right, time.Minute); err != nil || !ok {
			t.Fatal(ok, err)
		}
		for name, now := range map[string]time.Time{"ahead": noon.AddDate(1, 0, 0), "behind": c.Due.Add(time.Second)} {
			if got, err := s.Renewals.ClaimDue(t.Context(), now, wrong, time.Minute, 1, 9); err != nil || len(got) != 0 {
				t.Errorf("a hub whose clock is %s claimed what another one renews: %v", name, err)
			}
		}
		check(t, s.Renewals.FreeLeases(t.Context(), right, c.ID))
		if got, err := s.Renewals.ClaimDue(t.Context(), noon.AddDate(1, 0, 0), wrong, time.Minute, 1, 9); err != nil || len(got) != 1 {
			t.Fatalf("claimed %d: %v", len(got), err)
		}
		if ok, err := s.Renewals.TakeLease(t.Context(), c.ID, right, time.Minute); err != nil || ok {
			t.Errorf("two hubs hold one lease: %v", err)
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
		check(t, s.Grants.UpdateConnection(t.Context(), paused.Paused(noon), paused))
		now, owners := noon.Add(2*time.Hour), enter(t, s, 8)
		var mu sync.Mutex
		claims := map[string]int{}
		var claimers sync.WaitGroup
		for i := range 8 {
			claimers.Go(func() {
				for {
					got, err := s.Renewals.ClaimDue(t.Context(), now, owners[i], time.Minute, i+1, 5)
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
		late := storetest.Enter(t, s, "late")
		for _, owner := range owners {
			check(t, s.Renewals.FreeLeasesOf(t.Context(), owner))
		}
		for _, step := range []string{"were free", "have run out"} {
			again, err := s.Renewals.ClaimDue(t.Context(), now, late, -time.Second, 1, 1000)
			check(t, err)
			if len(again) != due {
				t.Errorf("of the leases that %s %d were claimed", step, len(again))
			}
		}
	})
}

func TestNextDueLooksBehindLeases(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		next := func() time.Time {
			at, err := s.Renewals.NextDueAt(t.Context())
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
		me := storetest.Enter(t, s, "me")
		if got, err := s.Renewals.ClaimDue(t.Context(), c.Due.Add(-time.Second), me, time.Minute, 1, 9); err != nil || len(got) != 0 {
			t.Errorf("claimed %d before the time, %v", len(got), err)
		}
		long := 10 * 365 * 24 * time.Hour // past the due time by the database's clock as well
		before := time.Now()
		_, err := s.Renewals.ClaimDue(t.Context(), c.Due.Add(time.Second), me, long, 1, 9)
		check(t, err)
		if at := next(); at.Before(before.Add(long-time.Minute)) || at.After(time.Now().Add(long+time.Minute)) {
			t.Errorf("next %s, want the end of the lease, %s from now", at, long)
		}
		check(t, s.Renewals.FreeLeases(t.Context(), me, c.ID))
		if at := next(); !at.Equal(cut(c.Due)) {
			t.Errorf("next %s, want %s", at, c.Due)
		}
	})
}

// Cost follows what is due: the claim must not read what is not.
func TestTheClaimReadsNoMoreThanWhatIsDue(t *testing.T) {
	file := "sqlite:" + filepath.Join(storetest.Folder(t), "evergrant.db")
	for name, address := range map[string]func(t *testing.T) string{
		store.SQLite:     func(*testing.T) string { return file },
		store.PostgreSQL: func(t *testing.T) string { t.Helper(); return storetest.Postgres(t) },
	} {
		t.Run(name, func(t *testing.T) {
			at := address(t)
			s := storetest.Open(t, at)
			addGranted(t, s, addService(t, s, "portal").ID, "sales")
			storetest.Multiply(t, at, "sales", 20_000, noon)
			plan := store.Plans(t, s, func(ctx context.Context) {
				_, err := s.Renewals.ClaimDue(ctx, noon.Add(time.Hour), "me", time.Minute, 100, 1)
				check(t, err)
			})[0]
			if !strings.Contains(plan, "connections_due_at") || strings.Contains(plan, "Seq Scan on connections") || strings.Contains(plan, "SCAN connections") {
				t.Errorf("the plan of a claim:\n%s", plan)
			}
			plan = store.Plans(t, s, func(ctx context.Context) {
				_, err := s.Renewals.NextDueAt(ctx)
				check(t, err)
			})[0]
			if !strings.Contains(plan, "connections_due_at") || !strings.Contains(plan, "connections_lease_until") || strings.Contains(plan, "connections_status") {
				t.Errorf("the plan of finding what is due next:\n%s", plan)
			}
		})
	}
}

func TestAReplicaGivesBackItsOwnLeasesOnly(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		svc := addService(t, s, "portal")
		one, two, three := storetest.Enter(t, s, "hub-1"), storetest.Enter(t, s, "hub-2"), storetest.Enter(t, s, "hub-3")
		holders := map[string]string{}
		for _, lease := range []struct{ name, owner string }{{"hub-1 claimed", one}, {"hub-1 taken", one}, {"hub-2", two}} {
			c := addGranted(t, s, svc.ID, strings.ReplaceAll(lease.name, " ", "-"))
			holders[lease.name] = c.ID
			if lease.name == "hub-1 claimed" {
				if got, err := s.Renewals.ClaimDue(t.Context(), c.Due, one, time.Hour, 17, 1); err != nil || len(got) != 1 {
					t.Fatal(got, err)
				}
			} else if ok, err := s.Renewals.TakeLease(t.Context(), c.ID, lease.owner, time.Hour); err != nil || !ok {
				t.Fatal(ok, err)
			}
		}
		for _, step := range []struct {
			what string
			give func() error
			free []string
		}{
			{"none", func() error { return s.Renewals.FreeLeases(t.Context(), one) }, nil},
			{"those of a claim of another hub", func() error { return s.Renewals.FreeClaimed(t.Context(), two, 17) }, nil},
			{"those of a claim of hub-1", func() error { return s.Renewals.FreeClaimed(t.Context(), one, 17) }, []string{"hub-1 claimed"}},
			{"named ones of hub-2", func() error { return s.Renewals.FreeLeases(t.Context(), two, holders["hub-1 taken"], holders["hub-2"]) }, []string{"hub-2", "hub-1 claimed"}},
			{"all of hub-1", func() error { return s.Renewals.FreeLeasesOf(t.Context(), one) }, []string{"hub-1 taken", "hub-1 claimed", "hub-2"}},
		} {
			check(t, step.give())
			for name, id := range holders {
				ok, err := s.Renewals.TakeLease(t.Context(), id, three, time.Minute)
				check(t, err)
				if ok != slices.Contains(step.free, name) {
					t.Errorf("given back: %s; the lease of %s is free: %t", step.what, name, ok)
				}
				if ok {
					check(t, s.Renewals.FreeLeases(t.Context(), three, id))
				}
			}
		}
	})
}
