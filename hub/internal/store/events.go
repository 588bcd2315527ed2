package store

import (
	"context"
	"time"

	"gorm.io/gorm"
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
func (s *Store) AddEvent(ctx context.Context, e Event) error {
	return failed("add the event "+e.Kind, addEvent(s.writing(ctx), e))
}

func addEvent(tx *gorm.DB, e Event) error {
	if e.ID == "" {
		e.ID = NewID()
	}
	if e.At.IsZero() {
		e.At = time.Now()
	}
	row := eventRow{
		ID: e.ID, ConnectionID: e.ConnectionID, ServiceID: e.ServiceID, Kind: e.Kind, Actor: e.Actor, Detail: e.Detail, At: millis(e.At),
	}
	return tx.Create(&row).Error
}

// Events reads the newest events of a connection, newest first; of everything if
// connectionID is empty.
func (s *Store) Events(ctx context.Context, connectionID string, limit int) ([]Event, error) {
	query := s.reading(ctx).Order("at DESC, id DESC").Limit(limit)
	if connectionID != "" {
		query = query.Where("connection_id = ?", connectionID)
	}
	var rows []eventRow
	if err := query.Find(&rows).Error; err != nil {
		return nil, failed("read the events", err)
	}
	events := make([]Event, 0, len(rows))
	for _, row := range rows {
		events = append(events, Event{
			ID: row.ID, ConnectionID: row.ConnectionID, ServiceID: row.ServiceID, Kind: row.Kind, Actor: row.Actor,
			Detail: row.Detail, At: timeOf(row.At),
		})
	}
	return events, nil
}

// PruneEvents removes events from before a time.
func (s *Store) PruneEvents(ctx context.Context, before time.Time) error {
	return failed("remove old events", s.writing(ctx).Where("at < ?", millis(before)).Delete(&eventRow{}).Error)
}
