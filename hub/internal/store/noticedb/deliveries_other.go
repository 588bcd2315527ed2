package noticedb

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store/db"
)

// otherWays plans more messages of an open incident once all that were planned are
// abandoned.
func (s *Rows) otherWays(tx *gorm.DB, about escalationRow, now time.Time) error {
	if about.ClosedAt > 0 || about.AcknowledgedAt > 0 {
		return nil
	}
	fresh := func() *gorm.DB { return tx.Session(&gorm.Session{NewDB: true}) }
	var rows []DeliveryRow
	if err := fresh().Select("contact_id", "channel_id", "state").Where("escalation_id = ? AND kind = ?", about.ID, DeliveryProblem).Find(&rows).Error; err != nil {
		return err
	}
	tried := make([]policy.Planned, 0, len(rows))
	for _, row := range rows {
		if row.State == DeliverySent || row.State == DeliverySending || row.State == DeliveryWaiting {
			return nil
		}
		tried = append(tried, policy.Planned{Contact: row.ContactID, Channel: row.ChannelID})
	}
	known, err := s.people.ContactsWhere(fresh())
	if err != nil {
		return err
	}
	rules, err := policies(fresh())
	if err != nil {
		return err
	}
	e, err := about.escalation()
	if err != nil {
		return err
	}
	situation, err := situationOf(fresh(), e.Event, now, e.Connections)
	if err != nil {
		return err
	}
	return addDeliveries(tx, about.ID, DeliveryProblem, policy.OtherWays(situation, rules, known, tried))
}

// Untold counts the open, unacknowledged incidents of which every message was abandoned.
func (s *Rows) Untold(ctx context.Context) (n int64, err error) {
	err = s.db.Reading(ctx).Raw(`SELECT COUNT(DISTINCT d.escalation_id) FROM deliveries d JOIN escalations e ON e.id = d.escalation_id
		WHERE d.state = 'dead' AND d.kind = 'problem' AND e.closed_at = 0 AND e.acknowledged_at = 0
		AND NOT EXISTS (SELECT 1 FROM deliveries o WHERE o.escalation_id = d.escalation_id AND o.kind = 'problem' AND o.state IN ('waiting', 'sending', 'sent'))`).Scan(&n).Error
	return n, db.Failed("count the troubles that nobody was told of", err)
}
