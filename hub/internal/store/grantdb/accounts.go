package grantdb

import (
	"context"

	"gorm.io/gorm"

	"github.com/evergrant/evergrant/hub/internal/store/db"
)

// accountRow is a row of connection_accounts.
type accountRow struct {
	ConnectionID string `gorm:"primaryKey"`
	Account      string `gorm:"primaryKey"`
}

// TableName pins the table.
func (accountRow) TableName() string { return "connection_accounts" }

// AllowedAccounts reads the accounts that may authorize a connection; none is any.
func (s *Rows) AllowedAccounts(ctx context.Context, connectionID string) ([]string, error) {
	var accounts []string
	err := s.db.Reading(ctx).Model(&accountRow{}).Where("connection_id = ?", connectionID).Order("account").Pluck("account", &accounts).Error
	return accounts, db.Failed("read the allowed accounts of "+connectionID, err)
}

// SetAllowedAccounts replaces the accounts that may authorize a connection. Errors:
// ErrNotFound.
func (s *Rows) SetAllowedAccounts(ctx context.Context, connectionID string, accounts []string) error {
	return db.Failed("set the allowed accounts of "+connectionID, s.db.Transaction(ctx, func(tx *gorm.DB) error {
		if err := tx.Where("connection_id = ?", connectionID).Delete(&accountRow{}).Error; err != nil || len(accounts) == 0 {
			return err
		}
		rows := make([]accountRow, 0, len(accounts))
		for _, account := range accounts {
			rows = append(rows, accountRow{ConnectionID: connectionID, Account: account})
		}
		return tx.Create(&rows).Error
	}))
}
