package noticedb

import (
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store/db"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
)

// escalateIncident opens the escalation of an incident, in the transaction that opens it.
func (s *Rows) escalateIncident(tx *gorm.DB, incident incidentRow, now time.Time) error {
	ids, err := affectedConnections(tx, incident.Cause)
	if err != nil {
		return err
	}
	cause := connection.ParseCause(incident.Cause)
	e := Escalation{
		ID: db.NewID(), Event: policy.EventOf(cause), IncidentID: incident.ID, Code: incident.Code, Message: incident.Message,
		Affected: int(incident.Affected), Connections: ids, OpenedAt: now,
	}
	e.ServiceID, err = serviceOf(tx, ids)
	if err != nil {
		return err
	}
	return s.openEscalation(tx, e)
}

// notificationState is what has been notified of an open incident.
type notificationState struct {
	IncidentID   string
	EscalationID *string
	Affected     int64
	Closed       bool
	Planned      bool
}

// notificationStates returns those of all open incidents, by their ids, in one look; changed is when
// contacts or policies were changed last, in milliseconds.
func notificationStates(tx *gorm.DB) (told map[string]notificationState, changed int64, err error) {
	var rows []notificationState
	err = tx.Raw(`SELECT i.id AS incident_id, e.id AS escalation_id, COALESCE(e.affected, 0) AS affected, COALESCE(e.closed_at, 0) > 0 AS closed,
		EXISTS (SELECT 1 FROM deliveries d WHERE d.escalation_id = e.id) AS planned
		FROM incidents i LEFT JOIN escalations e ON e.incident_id = i.id WHERE i.closed_at = 0`).Scan(&rows).Error
	if err != nil {
		return nil, 0, err
	}
	told = make(map[string]notificationState, len(rows))
	for _, row := range rows {
		told[row.IncidentID] = row
	}
	err = tx.Raw(`SELECT COALESCE(MAX(updated_at), 0) FROM (SELECT updated_at FROM contacts UNION ALL SELECT updated_at FROM escalation_policies) AS rules`).Scan(&changed).Error
	return told, changed, err
}

// updateNotified continues the escalation of an open incident: it updates the number of
// affected connections, notifies owners who were not yet, and plans messages that could
// not be planned at the start, because there was no contact or an older version had no
// escalations.
func (s *Rows) updateNotified(tx *gorm.DB, incident incidentRow, t notificationState, affected, changed int64, now time.Time) error {
	grown, late := affected > t.Affected, !t.Planned && changed > incident.SeenAt
	switch {
	case t.EscalationID == nil:
		return s.escalateIncident(tx, incident, now)
	case t.Closed || !grown && !late:
		return nil
	}
	var row escalationRow
	if err := tx.Where("id = ?", *t.EscalationID).Take(&row).Error; err != nil {
		return err
	}
	ids, err := affectedConnections(tx, incident.Cause)
	if err != nil {
		return err
	}
	e, err := row.escalation()
	if err != nil {
		return err
	}
	others := slices.ContainsFunc(ids, func(id string) bool { return !slices.Contains(e.Connections, id) })
	e.Affected, e.Connections = int(max(affected, row.Affected)), ids
	next, err := rowOfEscalation(e)
	if err != nil {
		return err
	}
	if err := tx.Model(&escalationRow{}).Where("id = ?", row.ID).Updates(map[string]any{"affected": next.Affected, "connections": next.Connections}).Error; err != nil {
		return err
	}
	if !others && !late || row.AcknowledgedAt > 0 {
		return nil
	}
	return s.planDeliveries(tx, e, e.Event, now)
}

// recoverIncident notifies of the end of an incident, in the transaction that closes it.
func (s *Rows) recoverIncident(tx *gorm.DB, incidentID string, now time.Time) error {
	var row escalationRow
	if err := tx.Where("incident_id = ? AND closed_at = 0", incidentID).Limit(1).Find(&row).Error; err != nil || row.ID == "" {
		return err
	}
	return s.closeEscalation(tx, row, now)
}

// affectedConnections returns the ids of up to mostNamed connections that a cause affects.
func affectedConnections(tx *gorm.DB, cause string) (ids []string, err error) {
	err = tx.Model(&grantdb.ConnectionRow{}).Where("failure_cause = ?", cause).Order("id").Limit(mostNamed).Pluck("id", &ids).Error
	return ids, err
}

// serviceOf is the one service of some connections; empty if they have several.
func serviceOf(tx *gorm.DB, ids []string) (string, error) {
	var services []string
	err := tx.Model(&grantdb.ConnectionRow{}).Where("id IN ?", ids).Distinct().Pluck("service_id", &services).Error
	if err != nil || len(services) != 1 {
		return "", err
	}
	return services[0], nil
}
