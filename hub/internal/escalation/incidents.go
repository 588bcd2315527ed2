package escalation

import (
	"context"
	"slices"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
)

// OpenIncident opens the escalation of an incident. It has to be called in the transaction
// that opens the incident, so that none is without notification.
func (p *Planner) OpenIncident(ctx context.Context, i noticedb.Incident, now time.Time) error {
	ids, err := p.store.Grants.SufferingFrom(ctx, i.Cause, mostNamed)
	if err != nil {
		return err
	}
	services, err := p.store.Grants.ServicesOf(ctx, ids)
	if err != nil {
		return err
	}
	e := noticedb.Escalation{
		ID: store.NewID(), Event: policy.EventOf(connection.ParseCause(i.Cause)), IncidentID: i.ID, Code: i.Code, Message: i.Message,
		Affected: i.Affected, Connections: ids, OpenedAt: now,
	}
	if len(services) == 1 {
		e.ServiceID = services[0]
	}
	return p.Open(ctx, e)
}

// ContinueIncident continues the escalation of an open incident that more connections
// suffer from, or of which nobody could be notified before: late is set for the latter.
// Owners who were not notified yet are, unless the escalation is acknowledged.
func (p *Planner) ContinueIncident(ctx context.Context, i noticedb.Incident, escalationID string, late bool, now time.Time) error {
	return p.store.InTx(ctx, func(ctx context.Context) error {
		was, err := p.store.Notices.Escalation(ctx, escalationID)
		if err != nil {
			return err
		}
		ids, err := p.store.Grants.SufferingFrom(ctx, i.Cause, mostNamed)
		if err != nil {
			return err
		}
		e, replan := continued(was, i.Affected, ids, late)
		if err := p.store.Notices.UpdateAffected(ctx, e); err != nil || !replan {
			return err
		}
		return p.plan(ctx, e, e.Event, now)
	})
}

// continued is an escalation with the connections that suffer now; replan is set if
// messages have to be planned again.
func continued(was noticedb.Escalation, affected int, ids []string, late bool) (e noticedb.Escalation, replan bool) {
	others := slices.ContainsFunc(ids, func(id string) bool { return !slices.Contains(was.Connections, id) })
	e = was
	e.Affected, e.Connections = max(affected, was.Affected), ids
	return e, (others || late) && was.AcknowledgedAt.IsZero()
}

// CloseIncident closes the escalation of an incident, in the transaction that closes the
// incident.
func (p *Planner) CloseIncident(ctx context.Context, incidentID string, now time.Time) error {
	open, err := p.store.Notices.Escalations(ctx, noticedb.EscalationFilter{Open: true, IncidentID: incidentID})
	if err != nil {
		return err
	}
	for _, e := range open {
		if err := p.Close(ctx, e.ID, now); err != nil {
			return err
		}
	}
	return nil
}
