package noticedb

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store/db"
)

// Codes of the escalations of policy.HostsChanged.
const (
	// NoticeDone reports a completed act; it ends by itself.
	NoticeDone = "done"
	// NoticeWaits is open until an owner has decided.
	NoticeWaits = "waits"
)

// noticeLife is how long a notice of what was done stays open.
const noticeLife = 7 * 24 * time.Hour

// EndHostNotices ends the notices about a service that waited for an owner's decision.
func (s *Rows) EndHostNotices(ctx context.Context, serviceID string, now time.Time) error {
	return db.Failed("end the notices about hosts", s.db.Transaction(ctx, func(tx *gorm.DB) error {
		return supersedeAll(tx, now, "service_id = ? AND code = ?", serviceID, NoticeWaits)
	}))
}

// EndOldNotices ends the notices of completed acts that were acknowledged, or that are
// old.
func (s *Rows) EndOldNotices(ctx context.Context, now time.Time) error {
	return db.Failed("end old notices", s.db.Transaction(ctx, func(tx *gorm.DB) error {
		return supersedeAll(tx, now, "code = ? AND (acknowledged_at > 0 OR opened_at < ?)", NoticeDone, db.Millis(now.Add(-noticeLife)))
	}))
}

func supersedeAll(tx *gorm.DB, now time.Time, where string, args ...any) error {
	var ids []string
	err := tx.Model(&escalationRow{}).Where("closed_at = 0 AND event = ?", string(policy.HostsChanged)).Where(where, args...).Pluck("id", &ids).Error
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := supersede(tx, id, now); err != nil {
			return err
		}
	}
	return nil
}
