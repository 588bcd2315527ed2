package replicadb

import (
	"context"
	"time"

	"gorm.io/gorm/clause"

	"github.com/evergrant/evergrant/hub/internal/store/db"
)

type withdrawalRow struct {
	Act         string `gorm:"primaryKey"`
	Kind        string `gorm:"primaryKey"`
	Object      string `gorm:"primaryKey"`
	At          int64
	PublishedBy string
}

// TableName pins the table.
func (withdrawalRow) TableName() string { return "withdrawals" }

// Withdrawal is a withdrawal in a replica's tail that a restore has undone.
type Withdrawal struct {
	// Act, Kind and Object are as in the audit record of the withdrawal.
	Act, Kind, Object string
	At                time.Time
	// PublishedBy is the name of the replica that published it.
	PublishedBy string
}

// PublishWithdrawals makes a replica's undone withdrawals visible to all; later ones of
// the same object count.
func (s *Rows) PublishWithdrawals(ctx context.Context, all []Withdrawal) error {
	if len(all) == 0 {
		return nil
	}
	rows := make([]withdrawalRow, len(all))
	for i, w := range all {
		rows[i] = withdrawalRow{Act: w.Act, Kind: w.Kind, Object: w.Object, At: db.Millis(w.At), PublishedBy: w.PublishedBy}
	}
	return db.Failed("publish what was withdrawn", s.db.Writing(ctx).Clauses(clause.OnConflict{
		Columns: []clause.Column{{Name: "act"}, {Name: "kind"}, {Name: "object"}}, DoUpdates: clause.AssignmentColumns([]string{"at", "published_by"}),
		Where: clause.Where{Exprs: []clause.Expression{clause.Expr{SQL: "excluded.at > withdrawals.at"}}},
	}).CreateInBatches(rows, db.RowsAtOnce).Error)
}

// PublishedWithdrawals reads what replicas have published, oldest first.
func (s *Rows) PublishedWithdrawals(ctx context.Context) ([]Withdrawal, error) {
	var rows []withdrawalRow
	err := s.db.Reading(ctx).Order("at, act, object").Find(&rows).Error
	all := make([]Withdrawal, len(rows))
	for i, r := range rows {
		all[i] = Withdrawal{Act: r.Act, Kind: r.Kind, Object: r.Object, At: db.TimeOf(r.At), PublishedBy: r.PublishedBy}
	}
	return all, db.Failed("read what was withdrawn", err)
}

// ForgetWithdrawal removes one that is void: it was taken back, or withdrawn again.
func (s *Rows) ForgetWithdrawal(ctx context.Context, act, kind, object string) error {
	return db.Failed("forget a withdrawal", s.db.Writing(ctx).Where("act = ? AND kind = ? AND object = ?", act, kind, object).Delete(&withdrawalRow{}).Error)
}
