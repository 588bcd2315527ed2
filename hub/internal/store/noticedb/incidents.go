package noticedb

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/evergrant/evergrant/hub/internal/connection"
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

// Events of incidents, in Event.Kind; Detail is the incident's id.
const (
	EventIncidentOpened = "incident.opened"
	EventIncidentClosed = "incident.closed"
)

// suffering is how many connections share a cause.
type suffering struct {
	Cause    string
	Affected int64
	Sample   string
}

// seenEvery is how often an open incident is written that has not changed.
const seenEvery = time.Minute

// ReconcileIncidents opens an incident for each cause that connections suffer
// from and that has none, counts the affected, and closes those from which the
// last connection has recovered; an event of each is written in the same
// transaction. Any number of replicas may call it: each change is made once. It
// reads what fails, not what is stored.
func (s *Rows) ReconcileIncidents(ctx context.Context, now time.Time) (opened, closed []Incident, err error) {
	err = s.db.Transaction(ctx, func(tx *gorm.DB) error {
		opened, closed = nil, nil
		var causes []suffering
		if err := tx.Raw(`SELECT failure_cause AS cause, COUNT(*) AS affected, MIN(id) AS sample FROM connections
			WHERE failure_cause <> '' GROUP BY failure_cause`).Scan(&causes).Error; err != nil {
			return err
		}
		var open []incidentRow
		if err := tx.Where("closed_at = 0").Find(&open).Error; err != nil {
			return err
		}
		told, changed, err := notificationStates(tx)
		if err != nil {
			return err
		}
		for _, cause := range causes {
			i := slices.IndexFunc(open, func(r incidentRow) bool { return r.Cause == cause.Cause })
			if i >= 0 {
				if err := touchIncident(tx, open[i], cause.Affected, now); err != nil {
					return err
				}
				if err := s.updateNotified(tx, open[i], told[open[i].ID], cause.Affected, changed, now); err != nil {
					return err
				}
				continue
			}
			row, isNew, err := s.openIncident(tx, cause, now)
			if err != nil {
				return err
			}
			if isNew {
				opened = append(opened, incidentOf(row))
			}
		}
		for _, row := range open {
			if slices.ContainsFunc(causes, func(c suffering) bool { return c.Cause == row.Cause }) {
				continue
			}
			mine, err := closeIncident(tx, &row, now)
			if err != nil {
				return err
			}
			if mine {
				if err := s.recoverIncident(tx, row.ID, now); err != nil {
					return err
				}
				closed = append(closed, incidentOf(row))
			}
		}
		return nil
	})
	return opened, closed, db.Failed("bring the incidents up to date", err)
}

func touchIncident(tx *gorm.DB, row incidentRow, affected int64, now time.Time) error {
	if row.Affected == affected && now.Sub(db.TimeOf(row.SeenAt)) < seenEvery {
		return nil
	}
	return tx.Model(&incidentRow{}).Where("id = ?", row.ID).Updates(map[string]any{
		"affected": affected, "most_affected": max(row.MostAffected, affected), "seen_at": db.Millis(now),
	}).Error
}

func (s *Rows) openIncident(tx *gorm.DB, cause suffering, now time.Time) (row incidentRow, isNew bool, err error) {
	row = incidentRow{
		ID: db.NewID(), Cause: cause.Cause, Affected: cause.Affected, MostAffected: cause.Affected, OpenedAt: db.Millis(now), SeenAt: db.Millis(now),
	}
	row.Message = connection.ParseCause(cause.Cause).Said()
	var sample grantdb.ConnectionRow
	if err := tx.Select("failure").Where("id = ?", cause.Sample).Take(&sample).Error; err == nil {
		if f, err := grantdb.FailureOf(sample.Failure); err == nil && f != nil {
			row.Code, row.Message = f.Code, f.Message
		}
	}
	result := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&row)
	if result.Error != nil || result.RowsAffected == 0 {
		return row, false, result.Error
	}
	if err := s.escalateIncident(tx, row, now); err != nil {
		return row, false, err
	}
	return row, true, grantdb.AddEvent(tx, grantdb.Event{Kind: EventIncidentOpened, Detail: row.ID, At: now})
}

func closeIncident(tx *gorm.DB, row *incidentRow, now time.Time) (mine bool, err error) {
	row.ClosedAt, row.Affected = db.Millis(now), 0
	result := tx.Model(&incidentRow{}).Where("id = ? AND closed_at = 0", row.ID).Updates(map[string]any{"closed_at": row.ClosedAt, "affected": 0})
	if result.Error != nil || result.RowsAffected == 0 {
		return false, result.Error
	}
	return true, grantdb.AddEvent(tx, grantdb.Event{Kind: EventIncidentClosed, Detail: row.ID, At: now})
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
	incidents := make([]Incident, len(rows))
	for i, row := range rows {
		incidents[i] = incidentOf(row)
	}
	return incidents, nil
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
