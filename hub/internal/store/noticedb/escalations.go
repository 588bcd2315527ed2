package noticedb

import (
	"context"
	"encoding/json"
	"time"

	"gorm.io/gorm/clause"

	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store/db"
)

type escalationRow struct {
	ID             string `gorm:"primaryKey"`
	Event          string
	IncidentID     string
	ServiceID      string
	Code           string
	Message        string
	Affected       int64
	Connections    string
	OpenedAt       int64
	PersonBy       int64
	AcknowledgedAt int64
	AcknowledgedBy string
	ClosedAt       int64
	Drill          int64
}

// TableName pins the table.
func (escalationRow) TableName() string { return "escalations" }

// Escalation is an incident that people are notified of, step by step.
type Escalation struct {
	ID    string
	Event policy.Event
	// IncidentID is its incident; empty for an end of grants that comes, and for a drill.
	IncidentID, ServiceID string
	// Code and Message are the service's; no secrets.
	Code, Message string
	// Affected is how many connections suffer, or did; Connections are the ids of some.
	Affected    int
	Connections []string
	OpenedAt    time.Time
	// PersonBy is when the first of the grants ends; zero if that is not what it is about.
	PersonBy       time.Time
	AcknowledgedAt time.Time
	AcknowledgedBy string
	ClosedAt       time.Time
	Drill          bool
}

func rowOfEscalation(e Escalation) (escalationRow, error) {
	ids, err := json.Marshal(e.Connections)
	row := escalationRow{
		ID: e.ID, Event: string(e.Event), IncidentID: e.IncidentID, ServiceID: e.ServiceID, Code: e.Code, Message: e.Message, Affected: int64(e.Affected),
		Connections: string(ids), OpenedAt: db.Millis(e.OpenedAt), PersonBy: db.Millis(e.PersonBy), AcknowledgedAt: db.Millis(e.AcknowledgedAt),
		AcknowledgedBy: e.AcknowledgedBy, ClosedAt: db.Millis(e.ClosedAt),
	}
	if e.Drill {
		row.Drill = 1
	}
	return row, err
}

func (r escalationRow) escalation() (Escalation, error) {
	e := Escalation{
		ID: r.ID, Event: policy.Event(r.Event), IncidentID: r.IncidentID, ServiceID: r.ServiceID, Code: r.Code, Message: r.Message, Affected: int(r.Affected),
		OpenedAt: db.TimeOf(r.OpenedAt), PersonBy: db.TimeOf(r.PersonBy), AcknowledgedAt: db.TimeOf(r.AcknowledgedAt), AcknowledgedBy: r.AcknowledgedBy,
		ClosedAt: db.TimeOf(r.ClosedAt), Drill: r.Drill != 0,
	}
	return e, db.Failed("read the escalation "+r.ID, json.Unmarshal([]byte(r.Connections), &e.Connections))
}

// AddEscalation adds an escalation. Only one can be of an incident.
func (s *Rows) AddEscalation(ctx context.Context, e Escalation) error {
	row, err := rowOfEscalation(e)
	if err == nil {
		err = s.db.Writing(ctx).Create(&row).Error
	}
	return db.Failed("add an escalation", err)
}

// UpdateAffected updates which connections an escalation is about, and how many they are.
func (s *Rows) UpdateAffected(ctx context.Context, e Escalation) error {
	row, err := rowOfEscalation(e)
	if err == nil {
		err = s.db.Writing(ctx).Model(&escalationRow{}).Where("id = ?", e.ID).Updates(map[string]any{"affected": row.Affected, "connections": row.Connections}).Error
	}
	return db.Failed("update the escalation "+e.ID, err)
}

// AcknowledgeEscalation records who acknowledges an escalation. It reports false, and
// changes nothing, for one that is acknowledged or closed.
func (s *Rows) AcknowledgeEscalation(ctx context.Context, id, by string, now time.Time) (bool, error) {
	result := s.db.Writing(ctx).Model(&escalationRow{}).Where("id = ? AND acknowledged_at = 0 AND closed_at = 0", id).
		Updates(map[string]any{"acknowledged_at": db.Millis(now), "acknowledged_by": by})
	return result.RowsAffected > 0, db.Failed("acknowledge the escalation "+id, result.Error)
}

// CloseEscalation closes an escalation. It reports false for one that is not open.
func (s *Rows) CloseEscalation(ctx context.Context, id string, now time.Time) (bool, error) {
	result := s.db.Writing(ctx).Model(&escalationRow{}).Where("id = ? AND closed_at = 0", id).Update("closed_at", db.Millis(now))
	return result.RowsAffected > 0, db.Failed("end the escalation "+id, result.Error)
}

// LockEscalation reads an escalation and keeps it from being changed, acknowledged and
// closed until the end of the transaction of ctx. Errors: ErrNotFound.
func (s *Rows) LockEscalation(ctx context.Context, id string) (Escalation, error) {
	var row escalationRow
	if err := s.db.Writing(ctx).Clauses(clause.Locking{Strength: "UPDATE"}).Where("id = ?", id).Take(&row).Error; err != nil {
		return Escalation{}, db.Failed("lock the escalation "+id, err)
	}
	return row.escalation()
}

// EscalationFilter chooses escalations.
type EscalationFilter struct {
	// Open are those that are not over, Over those that are; neither is both.
	Open, Over bool
	// OfNoIncident leaves out those of incidents, and drills.
	OfNoIncident bool
	// Event, Code and ServiceID keep those that have it; empty keeps all.
	Event           policy.Event
	Code, ServiceID string
	// IncidentID keeps the one of an incident; empty keeps all.
	IncidentID string
	// Before pages: those that come after the one of this id; empty begins with the newest.
	Before string
	// Limit bounds the number of results; 0 is no bound.
	Limit int
}

// Escalations reads some, newest first.
func (s *Rows) Escalations(ctx context.Context, f EscalationFilter) ([]Escalation, error) {
	query := s.db.Reading(ctx).Order("opened_at DESC, id DESC")
	if f.Limit > 0 {
		query = query.Limit(f.Limit)
	}
	if f.OfNoIncident {
		query = query.Where("incident_id = '' AND drill = 0")
	}
	for column, value := range map[string]string{"event": string(f.Event), "code": f.Code, "service_id": f.ServiceID, "incident_id": f.IncidentID} {
		if value != "" {
			query = query.Where(column+" = ?", value)
		}
	}
	if f.Open {
		query = query.Where("closed_at = 0")
	}
	if f.Over {
		query = query.Where("closed_at > 0")
	}
	if f.Before != "" {
		query = query.Where("(opened_at, id) < (SELECT opened_at, id FROM escalations WHERE id = ?)", f.Before)
	}
	var rows []escalationRow
	if err := query.Find(&rows).Error; err != nil {
		return nil, db.Failed("read the escalations", err)
	}
	list := make([]Escalation, 0, len(rows))
	for _, row := range rows {
		e, err := row.escalation()
		if err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return list, nil
}

// Escalation reads one. Errors: ErrNotFound.
func (s *Rows) Escalation(ctx context.Context, id string) (Escalation, error) {
	var row escalationRow
	if err := s.db.Reading(ctx).Where("id = ?", id).Take(&row).Error; err != nil {
		return Escalation{}, db.Failed("read the escalation "+id, err)
	}
	return row.escalation()
}

// EscalationByAck reads the escalation of an acknowledge link, with the contact to whom
// the link was sent. Errors: ErrNotFound.
func (s *Rows) EscalationByAck(ctx context.Context, hash string) (Escalation, string, error) {
	var row DeliveryRow
	if err := s.db.Reading(ctx).Where("ack_hash = ? AND ack_hash <> ''", hash).Take(&row).Error; err != nil {
		return Escalation{}, "", db.Failed("read what a link acknowledges", err)
	}
	e, err := s.Escalation(ctx, row.EscalationID)
	return e, row.ContactID, err
}

// PruneEscalations removes those that were over before a time, with their messages.
func (s *Rows) PruneEscalations(ctx context.Context, before time.Time) error {
	return db.Failed("remove old escalations", s.db.Writing(ctx).Where("closed_at > 0 AND closed_at < ?", db.Millis(before)).Delete(&escalationRow{}).Error)
}
