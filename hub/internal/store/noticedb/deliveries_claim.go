package noticedb

import (
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

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

// NotTaken is how a message was not taken.
type NotTaken struct {
	Reason, Said string
	// Again is when it is tried again; zero gives it up.
	Again time.Time
	// Unknown is set if it may have been taken all the same.
	Unknown bool
	// Moot is set if its subject is gone, so that no substitute has to be notified.
	Moot bool
}

// FailedDelivery records that a message was not accepted. It is not retried if its
// incident is over or acknowledged by then, and a contact that was certainly not notified
// of an incident is not notified of its end. An abandoned one expedites the next step of
// its escalation if none of its messages was sent, and the last one is planned on other
// channels. A delivery that another replica has claimed since is not changed.
func (s *Rows) FailedDelivery(ctx context.Context, d Delivery, f NotTaken, now time.Time) error {
	return db.Failed("note that "+d.ID+" was not taken", s.db.Transaction(ctx, func(tx *gorm.DB) error {
		// Serializes with the end of the incident and its acknowledgement.
		var about escalationRow
		if err := tx.Clauses(clause.Locking{Strength: "UPDATE"}).Where("id = ?", d.EscalationID).Limit(1).Find(&about).Error; err != nil {
			return err
		}
		changes := map[string]any{"state": DeliveryWaiting, "due_at": db.Millis(f.Again), "reason": f.Reason, "said": f.Said, "owner": "", "lease_until": 0}
		if !f.Unknown {
			changes["begun"] = 0
		}
		switch {
		case f.Again.IsZero():
			changes["state"] = DeliveryDead
			delete(changes, "due_at")
		case d.Kind == DeliveryProblem && (about.ClosedAt > 0 || about.AcknowledgedAt > 0):
			changes["state"] = DeliveryDropped
		}
		result := tx.Model(&DeliveryRow{}).Where("id = ? AND owner = ? AND state = ?", d.ID, d.Owner, DeliverySending).Updates(changes)
		maybeTold := d.Begun > 1 || f.Unknown && d.Begun > 0
		switch {
		case result.Error != nil || result.RowsAffected == 0 || d.Kind != DeliveryProblem:
			return result.Error
		case about.ClosedAt > 0 && !maybeTold:
			return dropRecovered(tx, d)
		case f.Again.IsZero():
			if err := expedite(tx, d.EscalationID, now); err != nil || f.Moot {
				return err
			}
			return s.otherWays(tx, about, now)
		}
		return nil
	}))
}

// dropRecovered drops the message of an incident's end for a contact that got none of its
// start.
func dropRecovered(tx *gorm.DB, d Delivery) error {
	return tx.Model(&DeliveryRow{}).Where("escalation_id = ? AND contact_id = ? AND channel_id = ? AND kind = ? AND state = ?",
		d.EscalationID, d.Contact, d.Channel, DeliveryRecovered, DeliveryWaiting).Update("state", DeliveryDropped).Error
}

// expedite makes the next step of an escalation due now if none of its messages was sent.
func expedite(tx *gorm.DB, escalationID string, now time.Time) error {
	var told int64
	err := tx.Model(&DeliveryRow{}).Where("escalation_id = ? AND kind = ? AND state IN ?", escalationID, DeliveryProblem, []string{DeliverySent, DeliverySending}).Count(&told).Error
	if err != nil || told > 0 {
		return err
	}
	var next DeliveryRow
	err = tx.Clauses(clause.Locking{Strength: "UPDATE"}).Where("escalation_id = ? AND kind = ? AND state = ? AND attempts = 0", escalationID, DeliveryProblem, DeliveryWaiting).
		Order("due_at, step").Limit(1).Find(&next).Error
	if err != nil || next.ID == "" || next.DueAt <= db.Millis(now) {
		return err
	}
	return tx.Model(&DeliveryRow{}).Where("id = ?", next.ID).Updates(map[string]any{"due_at": db.Millis(now), "first_due_at": db.Millis(now)}).Error
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
