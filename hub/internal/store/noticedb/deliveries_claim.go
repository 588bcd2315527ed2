package noticedb

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store/db"
)

// sendable selects what may be sent now: what is due and unclaimed, or whose replica's
// lease has expired. The message of an incident's end waits for that of its start.
const sendable = `SELECT d.id FROM deliveries d WHERE d.state IN ('waiting', 'sending') AND d.due_at <= @now
	AND (d.state = 'waiting' OR d.lease_until <= @now)
	AND NOT EXISTS (SELECT 1 FROM deliveries p WHERE p.escalation_id = d.escalation_id AND p.contact_id = d.contact_id
		AND d.kind = 'recovered' AND p.kind = 'problem' AND p.state IN ('waiting', 'sending'))
	ORDER BY d.due_at, d.id LIMIT @limit`

// ClaimDeliveries takes what is due, for one replica until a time, and returns it.
func (s *Rows) ClaimDeliveries(ctx context.Context, owner string, now, until time.Time, limit int) ([]Delivery, error) {
	chosen := sendable
	if s.db.Dialect() == db.PostgreSQL {
		chosen += " FOR UPDATE OF d SKIP LOCKED"
	}
	var rows []DeliveryRow
	err := s.db.Writing(ctx).Raw(`UPDATE deliveries SET state = 'sending', owner = @owner, lease_until = @until WHERE id IN (`+chosen+`) RETURNING *`,
		map[string]any{"now": db.Millis(now), "owner": owner, "until": db.Millis(until), "limit": limit}).Scan(&rows).Error
	if err != nil {
		return nil, db.Failed("take what is to be sent", err)
	}
	list := make([]Delivery, 0, len(rows))
	for _, row := range rows {
		d, err := s.deliveryOf(row)
		if err != nil {
			return nil, err
		}
		list = append(list, d)
	}
	return list, nil
}

// NextDelivery is when something is to be sent next; zero if nothing is.
func (s *Rows) NextDelivery(ctx context.Context) (time.Time, error) {
	var row DeliveryRow
	err := s.db.Reading(ctx).Select("due_at").Where("state IN ('waiting', 'sending')").Order("due_at").Limit(1).Find(&row).Error
	return db.TimeOf(row.DueAt), db.Failed("look for what is to be sent", err)
}

// WriteDelivery stores the text of a delivery, once. ackHash is the hash of the
// acknowledge link.
func (s *Rows) WriteDelivery(ctx context.Context, id string, message []byte, ackHash string) error {
	sealed, err := s.db.Box.Seal(message, "deliveries", id, "message")
	if err != nil {
		return db.Failed("seal the delivery "+id, err)
	}
	return db.Changed("write the delivery "+id, s.db.Writing(ctx).Model(&DeliveryRow{}).Where("id = ?", id).
		Updates(map[string]any{"message": sealed, "ack_hash": ackHash}))
}

// BeginSend records that a replica is about to send a claimed delivery: without a later
// result it is unknown whether it was sent. Errors: ErrNotFound if another replica has
// claimed it since, or it is obsolete.
func (s *Rows) BeginSend(ctx context.Context, id, owner string, until time.Time) error {
	return db.Changed("begin to send "+id, s.db.Writing(ctx).Model(&DeliveryRow{}).Where("id = ? AND owner = ? AND state = 'sending'", id, owner).
		Updates(map[string]any{"begun": gorm.Expr("begun + 1"), "attempts": gorm.Expr("attempts + 1"), "lease_until": db.Millis(until)}))
}

// SentDelivery notes that a message was taken; reference is the service's own name of
// it.
func (s *Rows) SentDelivery(ctx context.Context, id, reference string, now time.Time) error {
	return db.Changed("note that "+id+" was sent", s.db.Writing(ctx).Model(&DeliveryRow{}).Where("id = ?", id).
		Updates(map[string]any{"state": DeliverySent, "reference": reference, "sent_at": db.Millis(now), "reason": "", "said": "", "begun": 0, "owner": "", "lease_until": 0}))
}

// Failure is what is recorded of a delivery that was not accepted.
type Failure struct {
	// State is the next one: waiting, dead or dropped.
	State string
	// DueAt is the next attempt; zero keeps the time of the last one.
	DueAt time.Time
	// Reason and Said are why.
	Reason, Said string
	// Settled resets Delivery.Begun: the message certainly did not arrive.
	Settled bool
}

// FailDelivery records a failure of a delivery and reports whether it did: it does not once
// another replica has claimed the delivery, or it is no longer being sent.
func (s *Rows) FailDelivery(ctx context.Context, d Delivery, f Failure) (bool, error) {
	changes := map[string]any{"state": f.State, "reason": f.Reason, "said": f.Said, "owner": "", "lease_until": 0}
	if !f.DueAt.IsZero() {
		changes["due_at"] = db.Millis(f.DueAt)
	}
	if f.Settled {
		changes["begun"] = 0
	}
	result := s.db.Writing(ctx).Model(&DeliveryRow{}).Where("id = ? AND owner = ? AND state = ?", d.ID, d.Owner, DeliverySending).Updates(changes)
	return result.RowsAffected > 0, db.Failed("note that "+d.ID+" was not taken", result.Error)
}

// DropDelivery drops a waiting delivery of a contact, channel and kind, if there is one.
func (s *Rows) DropDelivery(ctx context.Context, escalationID, kind string, to policy.Planned) error {
	return db.Failed("drop a delivery of "+escalationID, s.db.Writing(ctx).Model(&DeliveryRow{}).
		Where("escalation_id = ? AND contact_id = ? AND channel_id = ? AND kind = ? AND state = ?", escalationID, to.Contact, to.Channel, kind, DeliveryWaiting).
		Update("state", DeliveryDropped).Error)
}

// DropWaiting drops the deliveries of an escalation, of one kind, that were not sent yet.
func (s *Rows) DropWaiting(ctx context.Context, escalationID, kind string) error {
	err := s.db.Writing(ctx).Model(&DeliveryRow{}).Where("escalation_id = ? AND kind = ? AND state = ?", escalationID, kind, DeliveryWaiting).
		Update("state", DeliveryDropped).Error
	return db.Failed("leave out the steps of "+escalationID, err)
}

// ExpediteDelivery makes a delivery due at a time, if it was not claimed or moved since it
// was read.
func (s *Rows) ExpediteDelivery(ctx context.Context, was Delivery, at time.Time) error {
	return db.Failed("expedite the delivery "+was.ID, s.db.Writing(ctx).Model(&DeliveryRow{}).
		Where("id = ? AND state = ? AND attempts = 0 AND due_at = ?", was.ID, DeliveryWaiting, db.Millis(was.DueAt)).
		Updates(map[string]any{"due_at": db.Millis(at), "first_due_at": db.Millis(at)}).Error)
}

// ResendDelivery has an abandoned delivery retried, from now on for as long as a new one.
// Errors: ErrNotFound if it was not abandoned.
func (s *Rows) ResendDelivery(ctx context.Context, id string, now time.Time) error {
	return db.Changed("send "+id+" again", s.db.Writing(ctx).Model(&DeliveryRow{}).Where("id = ? AND state = ?", id, DeliveryDead).
		Updates(map[string]any{"state": DeliveryWaiting, "due_at": db.Millis(now), "first_due_at": db.Millis(now), "begun": 0, "attempts": 0}))
}

// ReleaseDeliveries releases the claims of a replica that has ended. The replica calls it
// when it starts, so that no delivery waits for a lease of an earlier run.
func (s *Rows) ReleaseDeliveries(ctx context.Context, owner string) error {
	return db.Failed("give back what was being sent", s.db.Writing(ctx).Model(&DeliveryRow{}).Where("owner = ? AND state = ?", owner, DeliverySending).
		Updates(map[string]any{"state": DeliveryWaiting, "owner": "", "lease_until": 0}).Error)
}

// Untold counts the open, unacknowledged incidents of which every message was abandoned.
func (s *Rows) Untold(ctx context.Context) (n int64, err error) {
	err = s.db.Reading(ctx).Raw(`SELECT COUNT(DISTINCT d.escalation_id) FROM deliveries d JOIN escalations e ON e.id = d.escalation_id
		WHERE d.state = 'dead' AND d.kind = 'problem' AND e.closed_at = 0 AND e.acknowledged_at = 0
		AND NOT EXISTS (SELECT 1 FROM deliveries o WHERE o.escalation_id = d.escalation_id AND o.kind = 'problem' AND o.state IN ('waiting', 'sending', 'sent'))`).Scan(&n).Error
	return n, db.Failed("count the troubles that nobody was told of", err)
}
