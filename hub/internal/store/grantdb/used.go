package grantdb

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store/db"
)

// SaveUse notes that the token of a sliding connection was used, by connection.Used, and
// changes nothing else. A connection that was renewed, paused or ended since stays as it is.
func (s *Rows) SaveUse(ctx context.Context, c connection.Connection) error {
	row, err := s.RowOfConnection(c)
	if err != nil {
		return db.Failed("note the use of "+c.Name, err)
	}
	err = s.db.Transaction(ctx, func(tx *gorm.DB) error {
		old, err := lockConnection(tx, c.ID)
		if err != nil {
			return err
		}
		if old.Generation != c.Generation || old.State != row.State || old.ExpiresAt >= row.ExpiresAt {
			return nil
		}
		return tx.Model(&ConnectionRow{}).Where("id = ?", c.ID).Updates(map[string]any{
			"tokens": row.Tokens, "expires_at": row.ExpiresAt, "due_at": row.DueAt, "person_by": row.PersonBy,
			"renewable_until": row.RenewableUntil, "updated_at": db.Later(time.Now(), old.UpdatedAt),
		}).Error
	})
	return db.Failed("note the use of "+c.Name, err)
}
