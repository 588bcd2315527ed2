package tokensource

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/journal"
	"github.com/evergrant/evergrant/hub/internal/store"
)

// putBack has the database know again of a request that may be out and may still be
// answered: a database that was restored forgot its intent, so that another replica, once
// it has brought the row forward, would send the same refresh token while the service
// works on it.
func (s *Source) putBack(ctx context.Context, c connection.Connection, op journal.Operation, meta journalMeta) error {
	if !op.Sending || meta.Generation < c.Generation || c.Policy.RepeatSafe() {
		return nil
	}
	intent := s.intentOf(op, meta)
	if intent.Deadline.IsZero() { // of an older version
		intent.SendBy = intent.StartedAt.Add(s.exchanger.SendWithin())
		intent.Deadline = intent.SendBy.Add(s.exchanger.Budget(0))
	}
	by := intent.BegunAt.Sub(intent.StartedAt) // from this hub's wall clock to the database's
	intent.SendBy, intent.Deadline = intent.SendBy.Add(by), intent.Deadline.Add(by)
	if s.Now().After(intent.Deadline) {
		return nil
	}
	put, err := s.store.Renewals.PutBackIntent(ctx, intent)
	if err != nil {
		return fmt.Errorf("note again the renewal of %s whose request may be out: %w", c.Name, err)
	}
	if put {
		s.log.Error("database lacks a renewal whose response is still possible, waiting for it again",
			"connection", c.Name, "generation", c.Generation, "sent_generation", meta.Generation, "until", intent.Deadline.UTC().Format(time.RFC3339))
	}
	return nil
}

// putBackFlying is putBack for renewals in flight in this hub while its database goes
// back. It runs before the replica has compared, so that no other replica sends first.
func (s *Source) putBackFlying(ctx context.Context) error {
	for _, op := range s.journal.Pending() {
		meta, readable := readMeta(op)
		if !readable || !op.Sending || len(op.Replies) > 0 || !s.flying(meta.ConnectionID) {
			continue
		}
		c, err := s.store.Grants.ConnectionOrTrashed(ctx, meta.ConnectionID)
		if err == nil {
			err = s.putBack(ctx, c, op, meta)
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	return nil
}
