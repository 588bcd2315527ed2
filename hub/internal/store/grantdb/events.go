package grantdb

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/evergrant/evergrant/hub/internal/store/db"
)

type eventRow struct {
	ID           string `gorm:"primaryKey"`
	ConnectionID string
	ServiceID    string
	Kind         string
	Actor        string
	Detail       string
	At           int64
}

// TableName pins the table.
func (eventRow) TableName() string { return "events" }

// Event is a line of the timeline. It outlives its object.
type Event struct {
	ID           string
	ConnectionID string
	ServiceID    string
	Kind         string
	// Actor is a user's login, or "" for the hub.
	Actor string
	// Detail is never a secret.
	Detail string
	At     time.Time
}

// AddEvent adds an event; one without an ID or a time gets them.
func (s *Rows) AddEvent(ctx context.Context, e Event) error {
	return db.Failed("add the event "+e.Kind, AddEvent(s.db.Writing(ctx), e))
}

// AddEvent adds an event as part of a transaction.
func AddEvent(tx *gorm.DB, e Event) error {
	if e.ID == "" {
		e.ID = db.NewID()
	}
	if e.At.IsZero() {
		e.At = time.Now()
	}
	row := eventRow{
		ID: e.ID, ConnectionID: e.ConnectionID, ServiceID: e.ServiceID, Kind: e.Kind, Actor: e.Actor, Detail: e.Detail, At: db.Millis(e.At),
	}
	return tx.Create(&row).Error
}

// Events reads the newest events of a connection, newest first; of everything if
// connectionID is empty.
func (s *Rows) Events(ctx context.Context, connectionID string, limit int) ([]Event, error) {
	query := s.db.Reading(ctx).Order("at DESC, id DESC").Limit(limit)
	if connectionID != "" {
		query = query.Where("connection_id = ?", connectionID)
	}
	var rows []eventRow
	if err := query.Find(&rows).Error; err != nil {
		return nil, db.Failed("read the events", err)
	}
	events := make([]Event, 0, len(rows))
	for _, row := range rows {
		events = append(events, Event{
			ID: row.ID, ConnectionID: row.ConnectionID, ServiceID: row.ServiceID, Kind: row.Kind, Actor: row.Actor,
			Detail: row.Detail, At: db.TimeOf(row.At),
		})
	}
	return events, nil
}

// PruneEvents removes events from before a time.
func (s *Rows) PruneEvents(ctx context.Context, before time.Time) error {
	return db.Failed("remove old events", s.db.Writing(ctx).Where("at < ?", db.Millis(before)).Delete(&eventRow{}).Error)
}
