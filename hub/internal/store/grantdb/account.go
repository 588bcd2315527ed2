package grantdb

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store/db"
	"github.com/evergrant/evergrant/sdk/provider"
)

// SaveAccount notes whose grant a connection of a generation is, and nothing else. Errors:
// ErrNotFound, ErrStale if another grant is there.
func (s *Rows) SaveAccount(ctx context.Context, id string, generation int64, account provider.Account) error {
	err := s.db.Transaction(ctx, func(tx *gorm.DB) error {
		old, err := lockConnection(tx, id)
		if err != nil {
			return err
		}
		if old.Generation != generation {
			return db.ErrStale
		}
		if err := s.db.Notify(tx, id); err != nil {
			return err
		}
		named := connection.Connection{Name: old.Name, Title: old.Title, Account: account}
		return tx.Model(&ConnectionRow{}).Where("id = ?", id).Updates(map[string]any{
			"account_id": account.ID, "account_name": account.Name, "search_text": named.Derived().Search, "updated_at": db.Later(time.Now(), old.UpdatedAt),
		}).Error
	})
	if err == nil {
		s.db.NotifyLocal(ctx, id)
	}
	return db.Failed("note the account of the connection "+id, err)
}
