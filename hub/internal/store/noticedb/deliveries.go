package noticedb

import (
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store/db"
)

// DeliveryRow is a row of deliveries.
type DeliveryRow struct {
	ID           string `gorm:"primaryKey"`
	EscalationID string
	Kind         string
	Step         int64
	ContactID    string
	ChannelID    string
	State        string
	DueAt        int64
	FirstDueAt   int64
	Attempts     int64
	Begun        int64
	Owner        string
	LeaseUntil   int64
	Message      []byte
	AckHash      string
	Reason       string
	Said         string
	Reference    string
	SentAt       int64
	CreatedAt    int64 `gorm:"autoCreateTime:false"`
}

// TableName pins the table.
func (DeliveryRow) TableName() string { return "deliveries" }

// The kinds of a delivery.
const (
	DeliveryProblem   = "problem"
	DeliveryRecovered = "recovered"
)

// The states of deliveries.
const (
	// DeliveryWaiting is to be sent when it is due, again or for the first time.
	DeliveryWaiting = "waiting"
	// DeliverySending is in the hands of a replica.
	DeliverySending = "sending"
	DeliverySent    = "sent"
	// DeliveryDead is not retried unless a person requests it.
	DeliveryDead = "dead"
	// DeliveryDropped was not needed any more.
	DeliveryDropped = "dropped"
)

// Delivery is a message to a contact on a channel.
type Delivery struct {
	ID, EscalationID string
	// Kind is DeliveryProblem or DeliveryRecovered.
	Kind              string
	Step              int
	Contact, Channel  string
	State             string
	DueAt, FirstDueAt time.Time
	Attempts          int
	// Owner is the replica that sends it; empty if none does.
	Owner string
	// Begun counts sends with an unknown result.
	Begun int
	// Message is what is sent, once it was written; it holds links that open something.
	Message []byte
	// Reason and Said are why it was not accepted the last time, Reference the service's
	// own name of an accepted message.
	Reason, Said, Reference string
	SentAt, CreatedAt       time.Time
}

// String keeps the message out of %v.
func (d Delivery) String() string { return "delivery " + d.ID + " " + d.State }

// GoString keeps the message out of %#v.
func (d Delivery) GoString() string { return d.String() }

// AddDeliveries plans messages of an escalation, all of one kind. Those that are planned
// already, for the same contact and channel, stay as they are.
func (s *Rows) AddDeliveries(ctx context.Context, escalationID, kind string, planned []policy.Planned) error {
	if len(planned) == 0 {
		return nil
	}
	now := db.Millis(time.Now())
	rows := make([]DeliveryRow, 0, len(planned))
	for _, p := range planned {
		rows = append(rows, DeliveryRow{
			ID: db.NewID(), EscalationID: escalationID, Kind: kind, Step: int64(p.Step), ContactID: p.Contact, ChannelID: p.Channel, State: DeliveryWaiting,
			DueAt: db.Millis(p.At), FirstDueAt: db.Millis(p.At), Message: []byte{}, CreatedAt: now,
		})
	}
	return db.Failed("plan the deliveries of "+escalationID, s.db.Writing(ctx).Clauses(clause.OnConflict{DoNothing: true}).CreateInBatches(rows, db.RowsAtOnce).Error)
}

// Deliveries reads those of an escalation, in their order.
func (s *Rows) Deliveries(ctx context.Context, escalationID string) ([]Delivery, error) {
	return s.deliveries(s.db.Reading(ctx).Where("escalation_id = ?", escalationID).Order("kind, step, id"))
}

// Steps reads the deliveries of an escalation of one kind in the order of their steps,
// without their messages.
func (s *Rows) Steps(ctx context.Context, escalationID, kind string) ([]Delivery, error) {
	return s.deliveries(s.db.Reading(ctx).Omit("message").Where("escalation_id = ? AND kind = ?", escalationID, kind).Order("step, id"))
}

// DeadDeliveries reads abandoned deliveries, newest first.
func (s *Rows) DeadDeliveries(ctx context.Context, limit int) ([]Delivery, error) {
	return s.deliveries(s.db.Reading(ctx).Where("state = ?", DeliveryDead).Order("created_at DESC, id DESC").Limit(limit))
}

// Delivery reads one. Errors: ErrNotFound.
func (s *Rows) Delivery(ctx context.Context, id string) (Delivery, error) {
	var row DeliveryRow
	if err := s.db.Reading(ctx).Where("id = ?", id).Take(&row).Error; err != nil {
		return Delivery{}, db.Failed("read the delivery "+id, err)
	}
	return s.deliveryOf(row)
}

func (s *Rows) deliveries(query *gorm.DB) ([]Delivery, error) {
	var rows []DeliveryRow
	if err := query.Find(&rows).Error; err != nil {
		return nil, db.Failed("read the deliveries", err)
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

func (s *Rows) deliveryOf(r DeliveryRow) (Delivery, error) {
	d := Delivery{
		ID: r.ID, EscalationID: r.EscalationID, Kind: r.Kind, Step: int(r.Step), Contact: r.ContactID, Channel: r.ChannelID, State: r.State,
		DueAt: db.TimeOf(r.DueAt), FirstDueAt: db.TimeOf(r.FirstDueAt), Attempts: int(r.Attempts), Owner: r.Owner, Begun: int(r.Begun), Reason: r.Reason, Said: r.Said,
		Reference: r.Reference, SentAt: db.TimeOf(r.SentAt), CreatedAt: db.TimeOf(r.CreatedAt),
	}
	if len(r.Message) == 0 {
		return d, nil
	}
	message, err := s.db.Box.Open(r.Message, "deliveries", r.ID, "message")
	d.Message = message
	return d, db.Failed("read the delivery "+r.ID, err)
}

// QueuedDeliveries counts by state the deliveries that need attention: those that wait,
// are being sent, or were abandoned.
func (s *Rows) QueuedDeliveries(ctx context.Context) (map[string]int, error) {
	var rows []struct {
		State string
		N     int
	}
	err := s.db.Reading(ctx).Model(&DeliveryRow{}).Select("state, COUNT(*) AS n").
		Where("state IN ?", []string{DeliveryWaiting, DeliverySending, DeliveryDead}).Group("state").Scan(&rows).Error
	counts := map[string]int{}
	for _, r := range rows {
		counts[r.State] = r.N
	}
	return counts, db.Failed("count the deliveries", err)
}

// DeliveryStates counts the deliveries of some escalations by state, by their ids.
func (s *Rows) DeliveryStates(ctx context.Context, escalationIDs []string) (map[string]map[string]int, error) {
	var rows []struct {
		EscalationID, State string
		N                   int
	}
	err := s.db.Reading(ctx).Model(&DeliveryRow{}).Select("escalation_id, state, COUNT(*) AS n").
		Where("escalation_id IN ?", escalationIDs).Group("escalation_id, state").Scan(&rows).Error
	counts := make(map[string]map[string]int, len(escalationIDs))
	for _, r := range rows {
		if counts[r.EscalationID] == nil {
			counts[r.EscalationID] = map[string]int{}
		}
		counts[r.EscalationID][r.State] = r.N
	}
	return counts, db.Failed("count the deliveries", err)
}
