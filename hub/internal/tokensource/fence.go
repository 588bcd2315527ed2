package tokensource

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/evergrant/evergrant/hub/internal/crashpoint"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/renewaldb"
	"github.com/evergrant/evergrant/hub/internal/tracing"
	"github.com/evergrant/evergrant/sdk/provider"
)

// fenceAfter is how old the last look at the intent may be when the request is
// written. A process that was stopped in between looks again.
const fenceAfter = 2 * time.Second

// fence returns the check that runs immediately before the request of an intent is
// written, so that a stale decision is not sent. An intent that is gone was taken over by
// another replica, which may have sent by now. Errors: store.ErrStale, or the database's,
// with which nothing is sent either.
func (s *Source) fence(intent renewaldb.Intent) func(context.Context) error {
	looked := intent.StartedAt // before it was committed
	return func(ctx context.Context) error {
		for elapsed(looked) > fenceAfter {
			at := time.Now()
			if at.After(intent.SendBy) {
				return fmt.Errorf("the request was to be written by %s: %w", intent.SendBy.UTC().Format(time.RFC3339), store.ErrStale)
			}
			open, err := s.store.Renewals.IntentOpen(ctx, intent.ID)
			if err != nil {
				return fmt.Errorf("look once more whether the renewal is still ours, before it is sent late: %w", err)
			}
			if !open {
				return fmt.Errorf("another replica has taken the renewal over: %w", store.ErrStale)
			}
			looked = at
		}
		if err := s.journal.Sending(intent.ID); err != nil {
			return provider.Errorf(provider.Transient, "journal", "the hub cannot journal replies, so nothing was sent: %w", err)
		}
		return nil
	}
}

// elapsed is the time since t by the clock that shows more: the monotonic clock stops
// while the machine is suspended, and the wall clock may be set.
func elapsed(t time.Time) time.Duration {
	now := time.Now()
	return max(now.Sub(t), now.Round(0).Sub(t.Round(0)))
}

// keepLease extends the lease of a connection until the returned function is called, so
// that no other replica begins an exchange while one is in flight.
func (s *Source) keepLease(id string) (stop func()) {
	ctx, cancel := context.WithCancel(s.life)
	var timer *time.Timer
	timer = time.AfterFunc(s.lease/3, func() {
		if ctx.Err() != nil {
			return
		}
		extending, done := context.WithTimeout(ctx, s.lease/3)
		held, err := s.store.Renewals.ExtendLease(extending, id, s.Owner(), s.lease)
		done()
		if err != nil && ctx.Err() == nil {
			s.log.Warn("extend renewal lease failed, retrying", "connection", id, "error", err)
		}
		if ctx.Err() == nil && (held || err != nil) {
			timer.Reset(s.lease / 3)
		}
	})
	return func() {
		cancel()
		timer.Stop()
	}
}

// secondCopy returns the receiver of an intent's replies once they are durable here: they
// are also written into the intent's row, concurrently with the parse, so that another
// replica can finish if this one's disk is lost. On SQLite there is no other replica, and
// database and journal share a disk.
func (s *Source) secondCopy(intent renewaldb.Intent) func(map[int][]byte) {
	if s.noCopies || s.store.Dialect() != store.PostgreSQL {
		return nil
	}
	return func(replies map[int][]byte) {
		data, err := json.Marshal(replies)
		if err != nil {
			return
		}
		durable := time.Now()
		s.work.Go(func() {
			err := s.store.Renewals.KeepReply(s.life, intent.ID, data)
			switch {
			case err == nil:
				s.copied(time.Since(durable))
				crashpoint.At(crashpoint.Copied)
			case !errors.Is(err, store.ErrNotFound) && s.life.Err() == nil: // it was saved first
				tracing.Log(s.life, s.log).Warn("write second copy of a token response failed, it is in the journal only", "intent", intent.ID, "error", err)
			}
		})
	}
}
