package escalation

import (
	"context"
	"time"

	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
)

// Request keeps a request for a service and opens its escalation.
func (p *Planner) Request(ctx context.Context, r noticedb.ServiceRequest) error {
	r.EscalationID = store.NewID()
	e := noticedb.Escalation{ID: r.EscalationID, Event: policy.ServiceRequested, Message: r.Service + " · " + r.Contact, OpenedAt: r.CreatedAt}
	return p.store.InTx(ctx, func(ctx context.Context) error {
		if err := p.Open(ctx, e); err != nil {
			return err
		}
		return p.store.Notices.AddServiceRequest(ctx, r)
	})
}

// DecideRequest records the decision about a request for a service, ends its notifications
// and returns it. Errors: store.ErrNotFound if it is not open.
func (p *Planner) DecideRequest(ctx context.Context, id, state, by string, now time.Time) (r noticedb.ServiceRequest, err error) {
	err = p.store.InTx(ctx, func(ctx context.Context) error {
		if r, err = p.store.Notices.DecideServiceRequest(ctx, id, state, by, now); err != nil {
			return err
		}
		return p.Supersede(ctx, r.EscalationID, now)
	})
	return r, err
}
