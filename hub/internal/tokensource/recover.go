package tokensource

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/evergrant/evergrant/hub/internal/journal"
	"github.com/evergrant/evergrant/hub/internal/operation"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/renewaldb"
)

// Recover takes up what earlier runs of this hub left behind and Identity has made its
// own: journaled replies are saved, and renewals without a reply are tried once more, in
// the background. The hub calls it at start, before it renews or serves.
func (s *Source) Recover(ctx context.Context) error {
	if detached, ok := errors.AsType[*store.DetachedError](s.store.Detached(ctx)); ok {
		s.log.Warn("database is a detached copy: renewals and notifications disabled, journal untouched", "since", detached.Since)
		return nil
	}
	found, err := s.Compare(ctx)
	if err != nil {
		return err
	}
	s.found = found
	for _, op := range s.journal.Pending() {
		if _, device := operation.DeviceOf(op); device {
			continue // authflow saves it
		}
		if err := s.recoverReply(ctx, op); err != nil {
			return fmt.Errorf("replay the journal: %w", err)
		}
	}
	left, err := s.store.Renewals.OpenIntents(ctx, s.Owner())
	if err != nil {
		return fmt.Errorf("find the renewals that the last run left: %w", err)
	}
	s.work.Go(s.awaitRows)
	s.work.Go(func() {
		s.tryAgain(left)
		s.sweep()
	})
	return nil
}

// recoverReply saves what a journaled reply holds. It needs neither lease nor
// intent, which another replica may have by now: nothing is sent, and the save
// counts only while the generation is the one that was spent.
func (s *Source) recoverReply(ctx context.Context, op journal.Operation) error {
	meta, readable := readMeta(op)
	if !readable || len(op.Replies) == 0 && !op.Sending {
		s.journal.Done(op.ID)
		return nil
	}
	c, err := s.store.Grants.ConnectionOrTrashed(ctx, meta.ConnectionID)
	if err == nil && len(op.Replies) == 0 {
		err = s.putBack(ctx, c, op, meta)
	}
	if err == nil && c.Generation < meta.Generation {
		// The database went back behind what was spent, and another replica may have what lies between.
		if len(op.Replies) > 0 && s.early.add(earlyReply{op, meta}) {
			s.log.Error("journaled token response is newer than the database, kept", "connection", c.Name, "generation", c.Generation, "reply_to_generation", meta.Generation)
		}
		return nil
	}
	if errors.Is(err, store.ErrNotFound) || (err == nil && c.Generation != meta.Generation) {
		s.journal.Done(op.ID)
		return nil
	}
	if err != nil {
		return err
	}
	if len(op.Replies) == 0 {
		return nil // its request is marked as possibly sent; see settle
	}
	s.log.Info("applied journaled token response of an interrupted renewal", "connection", c.Name)
	if _, err := s.replay(ctx, c, s.intentOf(op, meta), op.Replies); err != nil {
		// The reply stays in the journal, and the other connections are waiting.
		s.log.Error("apply journaled token response failed, kept", "connection", c.Name, "error", err)
		return nil
	}
	s.early.drop(c.ID)
	return nil
}

// tryAgain renews the connections of this hub's own open intents. Their replies were lost
// with the last run, so waiting brings no more information, and other replicas wait for
// this one.
func (s *Source) tryAgain(left []renewaldb.Intent) {
	for _, intent := range left {
		if s.tidying.Err() != nil {
			return
		}
		if _, err := s.RenewNow(s.tidying, intent.ConnectionID, intent.Generation); err != nil && !errors.Is(err, store.ErrNotFound) {
			s.log.Warn("retry interrupted renewal failed, next attempt when due", "connection", intent.ConnectionID, "error", err)
		}
	}
}

// refound gives a sign of life: a hub that was fenced has a new identity after it, under
// which the renewal begins anew, and clocks have been judged.
func (s *Source) refound(ctx context.Context) {
	if err := s.identity.Confirm(ctx); err != nil {
		s.log.Warn("replica not registered, renewals paused", "error", err)
	}
}

// dropUnsent removes an intent that may have been committed although the database
// gave no answer: nothing was sent, but the other replicas could not know. If
// that fails too, sweep finds it.
func (s *Source) dropUnsent(id string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.life), 5*time.Second)
	defer cancel()
	if err := s.store.Renewals.DropIntent(ctx, id); err != nil {
		s.log.Warn("drop unsent renewal intent failed, recovery will settle it", "intent", id, "error", err)
	}
}

// sweep looks, once in a lease time, for open intents of this hub that none of its
// renewals is working on, until Close. No other replica may settle them.
func (s *Source) sweep() {
	ticker, daily := time.NewTicker(s.lease), time.NewTicker(24*time.Hour)
	defer ticker.Stop()
	defer daily.Stop()
	for {
		select {
		case <-s.tidying.Done():
			return
		case <-daily.C:
			if _, err := s.Compare(s.tidying); err != nil && s.tidying.Err() == nil {
				s.log.Warn("compare local token sets failed, next attempt tomorrow", "error", err)
			}
			continue
		case <-ticker.C:
		}
		open, err := s.store.Renewals.OpenIntents(s.tidying, s.Owner())
		if err != nil {
			continue // the database is away: the next round finds them
		}
		s.tryAgain(slices.DeleteFunc(open, s.attended))
	}
}

// attended reports whether an intent is worked on, or waits for its plugin to
// read a reply.
func (s *Source) attended(intent renewaldb.Intent) bool {
	return s.flying(intent.ConnectionID) || time.Since(intent.StartedAt) < s.lease || len(s.repliesOf(intent)) > 0
}
