package store

import (
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/policy"
)

// escalateIncident begins to tell of an incident, in the transaction that opens it.
func (s *Store) escalateIncident(tx *gorm.DB, incident incidentRow, now time.Time) error {
	ids, err := sufferers(tx, incident.Cause)
	if err != nil {
		return err
	}
	cause := connection.ParseCause(incident.Cause)
	e := Escalation{
		ID: NewID(), Event: policy.EventOf(cause), IncidentID: incident.ID, Code: incident.Code, Message: incident.Message,
		Affected: int(incident.Affected), Connections: ids, OpenedAt: now,
	}
	e.ServiceID, err = serviceOf(tx, ids)
	if err != nil {
		return err
	}
	return s.openEscalation(tx, e)
}

// moreSuffer notes how many an incident concerns by now, and tells those owners who
// have not been told yet. What nobody could be told of when it began, because there was
// no contact or an older version had no escalations, is told as soon as somebody can.
func (s *Store) moreSuffer(tx *gorm.DB, incident incidentRow, affected int64, now time.Time) error {
	var row escalationRow
	if err := tx.Where("incident_id = ?", incident.ID).Limit(1).Find(&row).Error; err != nil {
		return err
	}
	if row.ID == "" {
		return s.escalateIncident(tx, incident, now)
	}
	var planned int64
	if err := tx.Model(&deliveryRow{}).Where("escalation_id = ?", row.ID).Count(&planned).Error; err != nil {
		return err
	}
	if row.ClosedAt > 0 || row.Affected >= affected && planned > 0 {
		return nil
	}
	ids, err := sufferers(tx, incident.Cause)
	if err != nil {
		return err
	}
	e, err := row.escalation()
	if err != nil {
		return err
	}
	grown := slices.ContainsFunc(ids, func(id string) bool { return !slices.Contains(e.Connections, id) })
	e.Affected, e.Connections = int(max(affected, row.Affected)), ids
	next, err := rowOfEscalation(e)
	if err != nil {
		return err
	}
	if err := tx.Model(&escalationRow{}).Where("id = ?", row.ID).Updates(map[string]any{"affected": next.Affected, "connections": next.Connections}).Error; err != nil {
		return err
	}
	if !grown && planned > 0 || row.AcknowledgedAt > 0 {
		return nil
	}
	return s.planDeliveries(tx, e, e.Event, now)
}

// recoverIncident tells of the end of an incident, in the transaction that closes it.
func (s *Store) recoverIncident(tx *gorm.DB, incidentID string, now time.Time) error {
	var row escalationRow
	if err := tx.Where("incident_id = ? AND closed_at = 0", incidentID).Limit(1).Find(&row).Error; err != nil || row.ID == "" {
		return err
	}
	return s.closeEscalation(tx, row, now)
}

// sufferers are the ids of some connections that suffer from a cause.
func sufferers(tx *gorm.DB, cause string) (ids []string, err error) {
	err = tx.Model(&connectionRow{}).Where("failure_cause = ?", cause).Order("id").Limit(mostNamed).Pluck("id", &ids).Error
	return ids, err
}

// serviceOf is the one service of some connections; empty if they have several.
func serviceOf(tx *gorm.DB, ids []string) (string, error) {
	var services []string
	err := tx.Model(&connectionRow{}).Where("id IN ?", ids).Distinct().Pluck("service_id", &services).Error
	if err != nil || len(services) != 1 {
		return "", err
	}
	return services[0], nil
}
