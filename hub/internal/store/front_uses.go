package store

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"
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
func (s *Store) UseFront(ctx context.Context, kind, address string, limit FrontLimit, now time.Time) error {
	err := s.transaction(ctx, func(tx *gorm.DB) error {
		var total, mine int64
		since := millis(now.Add(-limit.Within))
		if err := tx.Model(&frontUseRow{}).Where("kind = ? AND used_at > ?", kind, since).Count(&total).Error; err != nil {
			return err
		}
		if err := tx.Model(&frontUseRow{}).Where("kind = ? AND used_at > ? AND address = ?", kind, since, address).Count(&mine).Error; err != nil {
			return err
		}
		if int(total) >= limit.InTotal || int(mine) >= limit.PerAddress {
			return ErrTooOften
		}
		return tx.Create(&frontUseRow{ID: NewID(), Kind: kind, Address: address, UsedAt: millis(now)}).Error
	})
	if errors.Is(err, ErrTooOften) {
		return ErrTooOften
	}
	return failed("note what was begun on the front page", err)
}

// PruneFrontUses removes what was begun before a time.
func (s *Store) PruneFrontUses(ctx context.Context, before time.Time) error {
	return failed("remove old uses of the front page", s.writing(ctx).Where("used_at < ?", millis(before)).Delete(&frontUseRow{}).Error)
}
