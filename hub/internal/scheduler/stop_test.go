package scheduler_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection/connectiontest"
	"github.com/evergrant/evergrant/hub/internal/scheduler"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/hub/internal/waittest"
)

// endsAt is a context that ends when it is looked at for the nth time, so that what
// runs under it is stopped at each of its places in turn.
type endsAt struct {
	context.Context
	end  context.CancelFunc
	left atomic.Int64
}

func newEndsAt(n int) *endsAt {
	e := &endsAt{}
	e.Context, e.end = context.WithCancel(context.Background())
	e.left.Store(int64(n))
	return e
}

func (e *endsAt) look() {
	if e.left.Add(-1) == 0 {
		e.end()
	}
}

// Done implements context.Context.
func (e *endsAt) Done() <-chan struct{} {
	e.look()
	return e.Context.Done()
}

// Err implements context.Context.
func (e *endsAt) Err() error {
	e.look()
	return e.Context.Err()
}

// TestAHubThatStopsLeavesWhatIsDueToOthers stops the scheduler at every place of a
// round: what it has claimed and not renewed can be claimed by another replica at
// once, or processes would wait for a lease that nobody holds.
func TestAHubThatStopsLeavesWhatIsDueToOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		google := connectiontest.Years()["Google"].Service
		h := newHubOfAYear(t, &connectiontest.Service{Description: google.Description, AccessLife: time.Hour}, 20)
		h.options.Workers = 4
		another := storetest.Enter(t, h.store, "another")
		renewals := 0
		for n := 1; n <= 60; n++ {
			waittest.Let(2 * day) // everything is due
			scheduler.New(h.options).Run(newEndsAt(n))
			now := time.Now()
			free, err := h.store.Renewals.ClaimDue(t.Context(), now, another, time.Minute, 1, 100)
			if err != nil {
				t.Fatal(err)
			}
			renewed := 0
			for _, id := range h.ids {
				if h.connection(t, id).Due.After(now) {
					renewed++
				}
			}
			if len(free)+renewed != len(h.ids) {
				t.Errorf("stopped at look %d: %d of %d were renewed, and another replica may renew %d", n, renewed, len(h.ids), len(free))
			}
			renewals += renewed
			if err := h.store.Renewals.FreeLeasesOf(t.Context(), another); err != nil {
				t.Fatal(err)
			}
		}
		if renewals == 0 {
			t.Error("the scheduler never came as far as a renewal")
		}
	})
}

func TestWhatAClaimWithoutAnAnswerHoldsIsClaimedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		google := connectiontest.Years()["Google"].Service
		h := newHubOfAYear(t, &connectiontest.Service{Description: google.Description, AccessLife: time.Hour}, 3)
		waittest.Let(day)
		now := time.Now()
		// The database has done it, and the answer was lost on its way.
		if lost, err := h.store.Renewals.ClaimDue(t.Context(), now, h.source.Owner(), time.Minute, 7, 100); err != nil || len(lost) != 3 {
			t.Fatal(len(lost), err)
		}
		if got := scheduler.New(h.options).Round(t.Context(), 7); got != 3 {
			t.Errorf("the next round may renew %d of 3 connections, the others wait for a lease that nobody uses", got)
		}
	})
}
