package statsdb

import (
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/evergrant/evergrant/hub/internal/store/db"
)

type renewalHourRow struct {
	Hour    int64  `gorm:"primaryKey;autoIncrement:false"`
	Outcome string `gorm:"primaryKey"`
	N       int64
}

// TableName pins the table.
func (renewalHourRow) TableName() string { return "renewal_hours" }

// RenewalHour is how many renewals ended in one way within an hour.
type RenewalHour struct {
	// Hour is its beginning.
	Hour time.Time
	// Outcome is "renewed", or the name of a provider.Kind.
	Outcome string
	N       int
}

// AddRenewals adds to the counts of hours; the times may be anywhere within them.
func (s *Rows) AddRenewals(ctx context.Context, counts []RenewalHour) error {
	return db.Failed("count renewals", s.db.Transaction(ctx, func(tx *gorm.DB) error {
		for _, c := range counts {
			row := renewalHourRow{Hour: db.Millis(c.Hour.UTC().Truncate(time.Hour)), Outcome: c.Outcome, N: int64(c.N)}
			err := tx.Clauses(clause.OnConflict{
				Columns: []clause.Column{{Name: "hour"}, {Name: "outcome"}}, DoUpdates: clause.Assignments(map[string]any{"n": gorm.Expr("renewal_hours.n + ?", c.N)}),
			}).Create(&row).Error
			if err != nil {
				return err
			}
		}
		return nil
	}))
}

// RenewalHours reads the counts of the hours since a time, oldest first.
func (s *Rows) RenewalHours(ctx context.Context, since time.Time) ([]RenewalHour, error) {
	var rows []renewalHourRow
	if err := s.db.Reading(ctx).Where("hour >= ?", db.Millis(since.UTC().Truncate(time.Hour))).Order("hour, outcome").Find(&rows).Error; err != nil {
		return nil, db.Failed("read how renewals ended", err)
	}
	hours := make([]RenewalHour, 0, len(rows))
	for _, r := range rows {
		hours = append(hours, RenewalHour{Hour: db.TimeOf(r.Hour), Outcome: r.Outcome, N: int(r.N)})
	}
	return hours, nil
}

// PruneRenewalHours removes the counts of hours before a time.
func (s *Rows) PruneRenewalHours(ctx context.Context, before time.Time) error {
	return db.Failed("remove old counts of renewals", s.db.Writing(ctx).Where("hour < ?", db.Millis(before)).Delete(&renewalHourRow{}).Error)
}
