package servicedb

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"github.com/evergrant/evergrant/hub/internal/store/db"
)

type frontUseRow struct {
	ID      string `gorm:"primaryKey"`
	Kind    string
	Address string
	UsedAt  int64
}

// TableName pins the table.
func (frontUseRow) TableName() string { return "front_uses" }

// Kinds of what people without an account begin.
const (
	FrontCodes   = "codes"
	FrontRequest = "request"
)

// FrontLimit bounds how often something may be begun within a time.
type FrontLimit struct {
	PerAddress, InTotal int
	Within              time.Duration
}

// ErrTooOften reports that an action was begun too often, from one address or in total.
var ErrTooOften = errors.New("this was begun too often; try again later")

// UseFront counts an action from an address, or refuses it. All replicas share the count;
// those that count at the same moment may let one more through each. Errors: ErrTooOften.
func (s *Rows) UseFront(ctx context.Context, kind, address string, limit FrontLimit, now time.Time) error {
	err := s.db.Transaction(ctx, func(tx *gorm.DB) error {
		var total, mine int64
		since := db.Millis(now.Add(-limit.Within))
		if err := tx.Model(&frontUseRow{}).Where("kind = ? AND used_at > ?", kind, since).Count(&total).Error; err != nil {
			return err
		}
		if err := tx.Model(&frontUseRow{}).Where("kind = ? AND used_at > ? AND address = ?", kind, since, address).Count(&mine).Error; err != nil {
			return err
		}
		if int(total) >= limit.InTotal || int(mine) >= limit.PerAddress {
			return ErrTooOften
		}
		return tx.Create(&frontUseRow{ID: db.NewID(), Kind: kind, Address: address, UsedAt: db.Millis(now)}).Error
	})
	if errors.Is(err, ErrTooOften) {
		return ErrTooOften
	}
	return db.Failed("note what was begun on the front page", err)
}

// PruneFrontUses removes what was begun before a time.
func (s *Rows) PruneFrontUses(ctx context.Context, before time.Time) error {
	return db.Failed("remove old uses of the front page", s.db.Writing(ctx).Where("used_at < ?", db.Millis(before)).Delete(&frontUseRow{}).Error)
}
