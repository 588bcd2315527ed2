package incident

import (
	"context"
	"slices"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/escalation"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
)

// Events of incidents, in grantdb.Event.Kind; its detail is the incident's id.
const (
	EventOpened = "incident.opened"
	EventClosed = "incident.closed"
)

// Reconcile opens an incident for each cause that connections suffer from and that has
// none, counts the affected, and closes those from which the last connection has recovered.
// Each is written in one transaction with its event and with what people are notified of
// it. Any number of replicas may call it: each change is made once.
func Reconcile(ctx context.Context, s *store.Store, now time.Time) (opened, closed []noticedb.Incident, err error) {
	err = s.InTx(ctx, func(ctx context.Context) error {
		opened, closed = nil, nil
		seen, err := look(ctx, s)
		if err != nil {
			return err
		}
		r := reconciler{store: s, planner: escalation.NewPlanner(s), now: now}
		for _, change := range seen.changes(now) {
			if err := r.do(ctx, change); err != nil {
				return err
			}
		}
		opened, closed = r.opened, r.closed
		return nil
	})
	return opened, closed, err
}

// look reads the causes of failures and what is known of them.
func look(ctx context.Context, s *store.Store) (seen seen, err error) {
	if seen.causes, err = s.Grants.Suffering(ctx); err != nil {
		return seen, err
	}
	if seen.open, err = s.Notices.OpenIncidents(ctx); err != nil {
		return seen, err
	}
	if seen.notified, err = s.Notices.Notified(ctx); err != nil {
		return seen, err
	}
	policies, err := s.Notices.PoliciesChangedAt(ctx)
	if err != nil {
		return seen, err
	}
	contacts, err := s.People.ContactsChangedAt(ctx)
	seen.rulesChanged = slices.MaxFunc([]time.Time{policies, contacts}, time.Time.Compare)
	return seen, err
}

// reconciler makes changes in a transaction.
type reconciler struct {
	store          *store.Store
	planner        *escalation.Planner
	now            time.Time
	opened, closed []noticedb.Incident
}

func (r *reconciler) do(ctx context.Context, c change) error {
	switch {
	case c.open:
		return r.openIncident(ctx, c)
	case c.end:
		return r.closeIncident(ctx, c.incident)
	}
	if c.touch {
		if err := r.store.Notices.UpdateIncident(ctx, c.incident); err != nil {
			return err
		}
	}
	switch {
	case c.escalate:
		return r.planner.OpenIncident(ctx, c.incident, r.now)
	case c.resume:
		return r.planner.ContinueIncident(ctx, c.incident, c.escalationID, c.late, r.now)
	}
	return nil
}

func (r *reconciler) openIncident(ctx context.Context, c change) error {
	i := c.incident
	i.ID, i.Message = store.NewID(), connection.ParseCause(i.Cause).Said()
	// A sample that is gone or cannot be read leaves the incident with the cause's own words.
	if failure, err := r.store.Grants.Failure(ctx, c.sample); err == nil && failure != nil {
		i.Code, i.Message = failure.Code, failure.Message
	}
	isNew, err := r.store.Notices.AddIncident(ctx, i)
	if err != nil || !isNew {
		return err
	}
	if err := r.planner.OpenIncident(ctx, i, r.now); err != nil {
		return err
	}
	r.opened = append(r.opened, i)
	return r.store.Grants.AddEvent(ctx, grantdb.Event{Kind: EventOpened, Detail: i.ID, At: r.now})
}

func (r *reconciler) closeIncident(ctx context.Context, i noticedb.Incident) error {
	mine, err := r.store.Notices.CloseIncident(ctx, i.ID, r.now)
	if err != nil || !mine {
		return err
	}
	if err := r.planner.CloseIncident(ctx, i.ID, r.now); err != nil {
		return err
	}
	i.ClosedAt, i.Affected = r.now, 0
	r.closed = append(r.closed, i)
	return r.store.Grants.AddEvent(ctx, grantdb.Event{Kind: EventClosed, Detail: i.ID, At: r.now})
}
