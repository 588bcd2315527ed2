package noticedb

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm/clause"

	"github.com/evergrant/evergrant/hub/internal/store/db"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
)

type incidentRow struct {
	ID           string `gorm:"primaryKey"`
	Cause        string
	Code         string
	Message      string
	Affected     int64
	MostAffected int64
	OpenedAt     int64
	SeenAt       int64
	ClosedAt     int64
}

// TableName pins the table.
func (incidentRow) TableName() string { return "incidents" }

// Incident is a common cause of one or many failing connections, from the first failure
// until the last one has recovered.
type Incident struct {
	ID string
	// Cause as connection.ParseCause reads it.
	Cause string
	// Code and Message are those of a connection that suffers; no secrets.
	Code, Message string
	// Affected connections now, and at the worst moment.
	Affected, MostAffected int
	OpenedAt, SeenAt       time.Time
	ClosedAt               time.Time // zero while it is open
}

// OpenIncidents reads those that are not over.
func (s *Rows) OpenIncidents(ctx context.Context) ([]Incident, error) {
	var rows []incidentRow
	err := s.db.Reading(ctx).Where("closed_at = 0").Find(&rows).Error
	return incidentsOf(rows), db.Failed("read the open incidents", err)
}

// AddIncident adds an open incident. It reports false, and changes nothing, if one of its
// cause is open: so of several replicas one opens it.
func (s *Rows) AddIncident(ctx context.Context, i Incident) (bool, error) {
	row := incidentRow{
		ID: i.ID, Cause: i.Cause, Code: i.Code, Message: i.Message, Affected: int64(i.Affected), MostAffected: int64(i.MostAffected),
		OpenedAt: db.Millis(i.OpenedAt), SeenAt: db.Millis(i.SeenAt),
	}
	result := s.db.Writing(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&row)
	return result.RowsAffected > 0, db.Failed("open an incident", result.Error)
}

// UpdateIncident writes how many suffer from an incident, and when that was seen.
func (s *Rows) UpdateIncident(ctx context.Context, i Incident) error {
	return db.Failed("update the incident "+i.ID, s.db.Writing(ctx).Model(&incidentRow{}).Where("id = ?", i.ID).Updates(map[string]any{
		"affected": i.Affected, "most_affected": i.MostAffected, "seen_at": db.Millis(i.SeenAt),
	}).Error)
}

// CloseIncident closes an incident. It reports false for one that is not open: so of
// several replicas one closes it.
func (s *Rows) CloseIncident(ctx context.Context, id string, now time.Time) (bool, error) {
	result := s.db.Writing(ctx).Model(&incidentRow{}).Where("id = ? AND closed_at = 0", id).Updates(map[string]any{"closed_at": db.Millis(now), "affected": 0})
	return result.RowsAffected > 0, db.Failed("close the incident "+id, result.Error)
}

// Notified is what people were notified of an incident.
type Notified struct {
	IncidentID string
	// EscalationID is empty if there is no escalation.
	EscalationID string
	// Affected is how many connections the escalation is about.
	Affected int
	// Closed is set if the escalation is, Planned if it has a message.
	Closed, Planned bool
}

// Notified reads what people were notified of each open incident, by its id.
func (s *Rows) Notified(ctx context.Context) (map[string]Notified, error) {
	var rows []Notified
	err := s.db.Reading(ctx).Raw(`SELECT i.id AS incident_id, COALESCE(e.id, '') AS escalation_id, COALESCE(e.affected, 0) AS affected,
		COALESCE(e.closed_at, 0) > 0 AS closed, EXISTS (SELECT 1 FROM deliveries d WHERE d.escalation_id = e.id) AS planned
		FROM incidents i LEFT JOIN escalations e ON e.incident_id = i.id WHERE i.closed_at = 0`).Scan(&rows).Error
	notified := make(map[string]Notified, len(rows))
	for _, row := range rows {
		notified[row.IncidentID] = row
	}
	return notified, db.Failed("read what people were notified of", err)
}

// Incidents reads the open incidents, or with closed the closed ones, newest
// first, at most limit.
func (s *Rows) Incidents(ctx context.Context, closed bool, limit int) ([]Incident, error) {
	query := s.db.Reading(ctx).Order("opened_at DESC, id DESC").Limit(limit)
	if closed {
		query = query.Where("closed_at > 0")
	} else {
		query = query.Where("closed_at = 0")
	}
	var rows []incidentRow
	if err := query.Find(&rows).Error; err != nil {
		return nil, db.Failed("read the incidents", err)
	}
	return incidentsOf(rows), nil
}

func incidentsOf(rows []incidentRow) []Incident {
	incidents := make([]Incident, len(rows))
	for i, row := range rows {
		incidents[i] = incidentOf(row)
	}
	return incidents
}

// Incident reads one with the names of connections that suffer from it now, at
// most limit. Errors: ErrNotFound.
func (s *Rows) Incident(ctx context.Context, id string, limit int) (Incident, []string, error) {
	var row incidentRow
	if err := s.db.Reading(ctx).Where("id = ?", id).Take(&row).Error; err != nil {
		return Incident{}, nil, db.Failed("read the incident "+id, err)
	}
	var names []string
	if row.ClosedAt == 0 {
		err := s.db.Reading(ctx).Model(&grantdb.ConnectionRow{}).Where("failure_cause = ?", row.Cause).Order("name").Limit(limit).Pluck("name", &names).Error
		if err != nil {
			return Incident{}, nil, fmt.Errorf("read who suffers from the incident %s: %w", id, err)
		}
	}
	return incidentOf(row), names, nil
}

func incidentOf(row incidentRow) Incident {
	return Incident{
		ID: row.ID, Cause: row.Cause, Code: row.Code, Message: row.Message, Affected: int(row.Affected), MostAffected: int(row.MostAffected),
		OpenedAt: db.TimeOf(row.OpenedAt), SeenAt: db.TimeOf(row.SeenAt), ClosedAt: db.TimeOf(row.ClosedAt),
	}
}
