package renewaldb

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store/db"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
)

// SaveRenewal saves the token set of a renewal: the new set, the one before it into the
// history, the intent removed, the lease released if owner holds it. from is the
// generation that was sent. Only the generation decides, never the lease: a late success
// holds the only valid refresh token. Written is what connection.Renewed changes; a
// concurrent pause stays. Concurrent outcomes share a transaction. Errors: ErrStale if
// the generation has changed since (the intent is removed all the same), ErrNotFound.
// After any other error it may be called again: an outcome that was saved is then
// ErrStale.
func (s *Rows) SaveRenewal(ctx context.Context, c connection.Connection, from int64, intentID, owner string) error {
	return s.saveOutcome(ctx, "save the renewal of "+c.Name, &outcome{c: c, from: from, intentID: intentID, owner: owner, renewed: true})
}

// SaveFailure saves the failure of a renewal: state, due time and failure, the
// intent removed (if intentID is not empty), the lease freed if owner holds it.
// A pause that came meanwhile stays. Errors: as SaveRenewal.
func (s *Rows) SaveFailure(ctx context.Context, c connection.Connection, from int64, intentID, owner string) error {
	return s.saveOutcome(ctx, "save the failed renewal of "+c.Name, &outcome{c: c, from: from, intentID: intentID, owner: owner})
}

// outcome is how a renewal ended, on its way to the row.
type outcome struct {
	c               connection.Connection
	row             grantdb.ConnectionRow // c as it is stored
	from            int64
	intentID, owner string
	// renewed is set if there is a new token set.
	renewed bool

	// err is what became of it: ErrStale, ErrNotFound, or nil. It counts once the
	// transaction is committed.
	err error
	// next is the row as it is to be, and past the token set that it replaces.
	next grantdb.ConnectionRow
	past *grantdb.TokenHistoryRow
}

func (s *Rows) saveOutcome(ctx context.Context, tried string, o *outcome) error {
	var err error
	if o.row, err = s.grants.RowOfConnection(o.c); err != nil {
		return db.Failed(tried, err)
	}
	became, err := s.outcomes.Do(ctx, o)
	if err == nil {
		err = became
	}
	return db.Failed(tried, err)
}

// saveOutcomes is the work of a batch. One that spoils the transaction for the
// others is found by saving each by itself.
func (s *Rows) saveOutcomes(ctx context.Context, batch []*outcome) ([]error, error) {
	err := s.db.Transaction(ctx, func(tx *gorm.DB) error {
		for _, part := range oneOfEach(batch) {
			if err := s.settle(tx, part); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil && len(batch) > 1 {
		return db.OneByOne(ctx, batch, s.saveOutcomes), nil
	}
	results := make([]error, len(batch))
	ids := make([]string, 0, len(batch))
	for i, o := range batch {
		results[i] = o.err
		if err == nil && o.err == nil {
			ids = append(ids, o.c.ID)
		}
	}
	s.db.NotifyLocal(ctx, ids...)
	return results, err
}

// oneOfEach splits a batch so that no part has two outcomes of one connection:
// the second one is judged by what the first one wrote.
func oneOfEach(batch []*outcome) [][]*outcome {
	var parts [][]*outcome
	seen := map[string]int{}
	for _, o := range batch {
		n := seen[o.c.ID]
		seen[o.c.ID]++
		if n == len(parts) {
			parts = append(parts, nil)
		}
		parts[n] = append(parts[n], o)
	}
	return parts
}

// settle writes outcomes of different connections.
func (s *Rows) settle(tx *gorm.DB, batch []*outcome) error {
	rows, err := s.lockConnections(tx, batch)
	if err != nil {
		return err
	}
	var changed []*outcome
	for _, o := range batch {
		old, found := rows[o.c.ID]
		if !found {
			o.err = db.ErrNotFound
			continue
		}
		o.decide(old)
		if o.err == nil && o.renewed {
			if o.past, err = s.grants.PastOf(old, o.c); err != nil {
				return err
			}
		}
		changed = append(changed, o)
	}
	if err := s.keepPast(tx, changed); err != nil {
		return err
	}
	if err := s.updateOutcomes(tx, changed); err != nil {
		return err
	}
	ids := make([]string, len(changed))
	for i, o := range changed {
		ids[i] = o.c.ID
	}
	if err := s.db.Notify(tx, ids...); err != nil {
		return err
	}
	return s.dropIntents(tx, batch)
}

// decide makes of the stored row what the outcome leaves of it.
func (o *outcome) decide(old *grantdb.ConnectionRow) {
	o.err, o.next = nil, *old
	if old.LeaseOwner == o.owner {
		o.next.LeaseOwner, o.next.LeaseUntil = "", 0
	}
	if old.Generation != o.from {
		o.err = fmt.Errorf("generation %d: %w", o.from, db.ErrStale)
		return
	}
	o.judge(old)
	if old.State == grantdb.StateTrashed {
		o.next.IntoTrash()
	}
}

// judge is decide for an outcome of the generation that the row has. What the row of a
// trashed connection is without the deletion is judged as any other.
func (o *outcome) judge(stored *grantdb.ConnectionRow) {
	old := stored
	if stored.State == grantdb.StateTrashed {
		out := *stored
		out.OutOfTrash()
		old = &out
	}
	o.next.State, o.next.DueAt, o.next.Failure = o.row.State, o.row.DueAt, o.row.Failure
	o.next.FailureCause, o.next.PersonBy = o.row.FailureCause, o.row.PersonBy
	o.next.Phase, o.next.RenewableUntil = o.row.Phase, o.row.RenewableUntil
	if old.State == string(connection.StatePaused) && o.c.State == connection.StateActive {
		o.next.State, o.next.DueAt, o.next.Phase, o.next.RenewableUntil = old.State, 0, old.Phase, old.RenewableUntil
	}
	o.next.UpdatedAt = db.Later(o.c.UpdatedAt, old.UpdatedAt)
	if o.renewed {
		o.next.Generation, o.next.Tokens, o.next.ExpiresAt, o.next.RenewedAt = o.row.Generation, o.row.Tokens, o.row.ExpiresAt, o.row.RenewedAt
	}
}

// errChanged would be a fault of the database: the row is locked.
var errChanged = errors.New("a locked row was changed by somebody else")
