package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/evergrant/evergrant/hub/internal/connection"
)

// SaveUse notes that the token of a sliding connection was used, by connection.Used, and
// changes nothing else. A connection that was renewed, paused or ended since stays as it is.
func (s *Store) SaveUse(ctx context.Context, c connection.Connection) error {
	row, err := s.rowOfConnection(c)
	if err != nil {
		return failed("note the use of "+c.Name, err)
	}
	err = s.transaction(ctx, func(tx *gorm.DB) error {
		old, err := lockConnection(tx, c.ID)
		if err != nil {
			return err
		}
		if old.Generation != c.Generation || old.State != row.State || old.ExpiresAt >= row.ExpiresAt {
			return nil
		}
		return tx.Model(&connectionRow{}).Where("id = ?", c.ID).Updates(map[string]any{
			"tokens": row.Tokens, "expires_at": row.ExpiresAt, "due_at": row.DueAt, "person_by": row.PersonBy,
			"renewable_until": row.RenewableUntil, "updated_at": later(time.Now(), old.UpdatedAt),
		}).Error
	})
	return failed("note the use of "+c.Name, err)
}
