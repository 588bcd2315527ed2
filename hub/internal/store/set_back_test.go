package store_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/renewaldb"
	"github.com/evergrant/evergrant/hub/internal/store/replicadb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/hub/internal/waittest"
)

// Every replica sees the database's clock step.
func TestWhatWasDatedBeforeTheClockWentBackIsMovedOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		svc := addService(t, s, "portal")
		before := addGranted(t, s, svc.ID, "sales")
		addGranted(t, s, svc.ID, "stock")
		by := []time.Duration{-2 * time.Hour, -2*time.Hour + time.Second, -2*time.Hour - time.Second}
		var replicas sync.WaitGroup
		for _, by := range by {
			replicas.Go(func() {
				for { // as its signs of life do
					_, err := s.Replicas.MoveDates(t.Context(), by)
					if err == nil || !errors.Is(err, replicadb.ErrBeingMoved) {
						check(t, err)
						return
					}
				}
			})
		}
		replicas.Wait()
		after := read(t, s, before.ID)
		if moved := before.Tokens.ExpiresAt.Sub(after.Tokens.ExpiresAt); moved < 2*time.Hour-2*time.Second || moved > 2*time.Hour+2*time.Second {
			t.Errorf("it was moved by %s", moved)
		}
		if moved := before.Due.Sub(after.Due); moved < 2*time.Hour-2*time.Second || moved > 2*time.Hour+2*time.Second || after.Generation != 1 {
			t.Errorf("its due time was moved by %s", moved)
		}
		if n, err := s.Replicas.MoveDates(t.Context(), -5*time.Minute); err != nil || n != 2 {
			t.Errorf("another step moved %d: %v", n, err)
		}
	})
}

// What a dead hub has begun is not older than it is because a clock stepped.
func TestRenewalsUnderWayMoveWithAClockThatWentForward(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		svc := addService(t, s, "portal")
		c := addGranted(t, s, svc.ID, "sales")
		r := replicadb.Replica{ID: store.NewID(), Epoch: 1}
		_, err := s.Replicas.EnterReplica(t.Context(), r, 0)
		check(t, err)
		_, err = s.Renewals.TakeLease(t.Context(), c.ID, r.Owner(), time.Minute)
		check(t, err)
		now := time.Now()
		check(t, s.Renewals.BeginIntent(t.Context(), renewaldb.Intent{
			ID: store.NewID(), ConnectionID: c.ID, Generation: c.Generation, Owner: r.Owner(), StartedAt: now, SendBy: now, Deadline: now.Add(time.Minute),
		}))
		granted := read(t, s, c.ID)
		before, err := s.Renewals.OpenIntent(t.Context(), c.ID)
		check(t, err)
		waittest.Past(t, time.Now().Add(20*time.Millisecond))
		for range 2 { // as two replicas do
			_, err = s.Replicas.MoveDates(t.Context(), 10*time.Millisecond)
			check(t, err)
		}
		after, err := s.Renewals.OpenIntent(t.Context(), c.ID)
		check(t, err)
		for what, moved := range map[string]time.Duration{
			"begin": after.BegunAt.Sub(before.BegunAt), "last moment to send": after.SendBy.Sub(before.SendBy), "deadline": after.Deadline.Sub(before.Deadline),
		} {
			if moved != 10*time.Millisecond {
				t.Errorf("its %s was moved by %s", what, moved)
			}
		}
		if unmoved := read(t, s, c.ID); !unmoved.Tokens.ExpiresAt.Equal(granted.Tokens.ExpiresAt) {
			t.Errorf("the end of its token was moved to %s", unmoved.Tokens.ExpiresAt)
		}
	})
}
