package store

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"github.com/evergrant/evergrant/hub/internal/connection"
)

// SaveRenewal saves the token set of a renewal in one transaction: the new set,
// the one before it into the history, the intent removed, the lease freed if
// owner holds it. from is the generation that was sent. Only the generation
// decides, never the lease: a late success holds the only live refresh token.
// Written is what connection.Renewed changes; a pause that came meanwhile stays.
// Errors: ErrStale if the generation has moved on (the intent is removed all the
// same), ErrNotFound.
func (s *Store) SaveRenewal(ctx context.Context, c connection.Connection, from int64, intentID, owner string) error {
	tried := "save the renewal of " + c.Name
	row, err := s.rowOfConnection(c)
	if err != nil {
		return failed(tried, err)
	}
	err = s.settle(ctx, c, from, intentID, owner, func(tx *gorm.DB, old *connectionRow) (map[string]any, error) {
		return map[string]any{
			"generation": row.Generation, "tokens": row.Tokens, "expires_at": row.ExpiresAt, "failure": row.Failure,
			"renewed_at": row.RenewedAt,
		}, s.turnPage(tx, old, c)
	})
	return failed(tried, err)
}

// SaveFailure saves the failure of a renewal: state, due time and failure, the
// intent removed (if intentID is not empty), the lease freed if owner holds it.
// A pause that came meanwhile stays. Errors: as SaveRenewal.
func (s *Store) SaveFailure(ctx context.Context, c connection.Connection, from int64, intentID, owner string) error {
	tried := "save the failed renewal of " + c.Name
	failure, err := failureText(c.Failure)
	if err != nil {
		return failed(tried, err)
	}
	err = s.settle(ctx, c, from, intentID, owner, func(*gorm.DB, *connectionRow) (map[string]any, error) {
		return map[string]any{"failure": failure}, nil
	})
	return failed(tried, err)
}

// settle writes the outcome of a renewal if the generation still is from, and in
// either case removes the intent and frees the lease. outcome names the columns
// beside state and due time.
func (s *Store) settle(ctx context.Context, c connection.Connection, from int64, intentID, owner string,
	outcome func(*gorm.DB, *connectionRow) (map[string]any, error),
) error {
	var stale bool
	err := s.transaction(ctx, func(tx *gorm.DB) error {
		old, err := lockConnection(tx, c.ID)
		if err != nil {
			return err
		}
		if err := dropIntent(tx, intentID); err != nil {
			return err
		}
		if err := freeLease(tx, c.ID, owner); err != nil {
			return err
		}
		if stale = old.Generation != from; stale {
			return nil
		}
		columns, err := outcome(tx, old)
		if err != nil {
			return err
		}
		columns["state"], columns["due_at"] = string(c.State), millis(c.Due)
		if old.State == string(connection.StatePaused) && c.State == connection.StateActive {
			columns["state"], columns["due_at"] = old.State, 0
		}
		columns["updated_at"] = later(c.UpdatedAt, old.UpdatedAt)
		result := tx.Model(&connectionRow{}).Where("id = ? AND generation = ?", c.ID, from).Updates(columns)
		if result.Error == nil && result.RowsAffected == 0 {
			return errors.New("the locked row was changed by somebody else")
		}
		return result.Error
	})
	if err == nil && stale {
		return fmt.Errorf("generation %d: %w", from, ErrStale)
	}
	return err
}
