package noticedb

import (
	"context"
	"encoding/json"
	"time"

	"gorm.io/gorm"

	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store/db"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
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

// mostNamed is how many connections of an escalation are kept by id.
const mostNamed = 50

func rowOfEscalation(e Escalation) (escalationRow, error) {
	ids, err := json.Marshal(e.Connections[:min(len(e.Connections), mostNamed)])
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

// OpenEscalation opens an escalation: it and its messages are written in one transaction.
func (s *Rows) OpenEscalation(ctx context.Context, e Escalation) error {
	return db.Failed("begin an escalation", s.db.Transaction(ctx, func(tx *gorm.DB) error { return s.openEscalation(tx, e) }))
}

func (s *Rows) openEscalation(tx *gorm.DB, e Escalation) error {
	row, err := rowOfEscalation(e)
	if err != nil {
		return err
	}
	if err := tx.Create(&row).Error; err != nil {
		return err
	}
	return s.planDeliveries(tx, e, e.Event, e.OpenedAt)
}

// SituationOf is what policies look at: the services, tags and owners of some
// connections.
func (s *Rows) SituationOf(ctx context.Context, event policy.Event, at time.Time, connectionIDs []string) (policy.Situation, error) {
	return situationOf(s.db.Reading(ctx), event, at, connectionIDs)
}

func situationOf(tx *gorm.DB, event policy.Event, at time.Time, ids []string) (policy.Situation, error) {
	situation := policy.Situation{Event: event, Began: at}
	fresh := func() *gorm.DB { return tx.Session(&gorm.Session{NewDB: true}) }
	if event == policy.HostsChanged {
		var err error
		if situation.Owners, err = peopledb.HubOwners(fresh()); err != nil {
			return situation, err
		}
	}
	if len(ids) == 0 {
		return situation, nil
	}
	err := fresh().Model(&grantdb.ConnectionRow{}).Where("id IN ?", ids).Distinct().Order("service_id").Pluck("service_id", &situation.Services).Error
	if err == nil {
		err = fresh().Model(&grantdb.TagRow{}).Where("connection_id IN ?", ids).Distinct().Order("tag").Pluck("tag", &situation.Tags).Error
	}
	if err == nil && event != policy.HostsChanged {
		situation.Owners, err = peopledb.Owners(fresh(), ids)
	}
	return situation, err
}

// Acknowledge records who takes care: later steps are dropped. An escalation that is
// acknowledged or closed already is not changed.
func (s *Rows) Acknowledge(ctx context.Context, id, by string, now time.Time) error {
	return s.db.Transaction(ctx, func(tx *gorm.DB) error {
		result := tx.Model(&escalationRow{}).Where("id = ? AND acknowledged_at = 0 AND closed_at = 0", id).
			Updates(map[string]any{"acknowledged_at": db.Millis(now), "acknowledged_by": by})
		if result.Error != nil || result.RowsAffected == 0 {
			return db.Failed("acknowledge the escalation "+id, result.Error)
		}
		return dropWaiting(tx, id)
	})
}

// dropWaiting leaves out the messages of an escalation that were not sent yet.
func dropWaiting(tx *gorm.DB, escalationID string) error {
	err := tx.Model(&DeliveryRow{}).Where("escalation_id = ? AND kind = ? AND state = ?", escalationID, DeliveryProblem, DeliveryWaiting).
		Update("state", DeliveryDropped).Error
	return db.Failed("leave out the steps of "+escalationID, err)
}

// CloseEscalation closes the escalation of an incident that is over: later steps are
// dropped, and every contact that was notified of it, or may have been, is notified of
// its end.
func (s *Rows) CloseEscalation(ctx context.Context, id string, now time.Time) error {
	return db.Failed("end the escalation "+id, s.db.Transaction(ctx, func(tx *gorm.DB) error {
		var row escalationRow
		if err := tx.Where("id = ? AND closed_at = 0", id).Limit(1).Find(&row).Error; err != nil || row.ID == "" {
			return err
		}
		return s.closeEscalation(tx, row, now)
	}))
}

func (s *Rows) closeEscalation(tx *gorm.DB, row escalationRow, now time.Time) error {
	result := tx.Model(&escalationRow{}).Where("id = ? AND closed_at = 0", row.ID).Update("closed_at", db.Millis(now))
	if result.Error != nil || result.RowsAffected == 0 {
		return result.Error
	}
	if err := dropWaiting(tx, row.ID); err != nil {
		return err
	}
	var told []DeliveryRow
	err := tx.Where("escalation_id = ? AND kind = ? AND (state IN ? OR begun > 0)", row.ID, DeliveryProblem, []string{DeliverySent, DeliverySending}).Order("step").Find(&told).Error
	if err != nil {
		return err
	}
	var planned []policy.Planned
	for _, d := range told {
		planned = append(planned, policy.Planned{Contact: d.ContactID, Channel: d.ChannelID, Step: len(planned), At: now})
	}
	e, err := row.escalation()
	if err != nil {
		return err
	}
	if err := addDeliveries(tx, e.ID, DeliveryRecovered, planned); err != nil {
		return err
	}
	return s.planDeliveries(tx, e, policy.Recovered, now)
}

// EscalationFilter chooses escalations.
type EscalationFilter struct {
	// Open are those that are not over, Over those that are; neither is both.
	Open, Over bool
	// Before pages: those that come after the one of this id; empty begins with the newest.
	Before string
	Limit  int
}

// Escalations reads some, newest first.
func (s *Rows) Escalations(ctx context.Context, f EscalationFilter) ([]Escalation, error) {
	query := s.db.Reading(ctx).Order("opened_at DESC, id DESC").Limit(f.Limit)
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
