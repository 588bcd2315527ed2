package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/sdk/provider"
)

// SaveAccount notes whose grant a connection of a generation is, and nothing else. Errors:
// ErrNotFound, ErrStale if another grant is there.
func (s *Store) SaveAccount(ctx context.Context, id string, generation int64, account provider.Account) error {
	err := s.transaction(ctx, func(tx *gorm.DB) error {
		old, err := lockConnection(tx, id)
		if err != nil {
			return err
		}
		if old.Generation != generation {
			return ErrStale
		}
		if err := s.notify(tx, id); err != nil {
			return err
		}
		named := connection.Connection{Name: old.Name, Title: old.Title, Account: account}
		return tx.Model(&connectionRow{}).Where("id = ?", id).Updates(map[string]any{
			"account_id": account.ID, "account_name": account.Name, "search_text": searchText(named), "updated_at": later(time.Now(), old.UpdatedAt),
		}).Error
	})
	if err == nil {
		s.notifyLocal(ctx, id)
	}
	return failed("note the account of the connection "+id, err)
}
