package notifications

import (
	"context"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/policy"
)

// Acknowledge notes that the signed-in person takes care of an escalation; called is what
// others are told of who it is. One that is taken care of, or over, stays as it is. Errors:
// store.ErrNotFound.
func (n *Notifications) Acknowledge(ctx context.Context, id, called string) error {
	return n.acknowledge(ctx, id, called, access.ActOperate)
}

// AcknowledgeByLink notes that the contact takes care whom the link of a message was sent
// to. Errors: escalation.ErrLinkUnknown.
func (n *Notifications) AcknowledgeByLink(ctx context.Context, token string) error {
	e, contact, err := n.o.Escalation.ByLink(ctx, token)
	if err != nil {
		return err // whoever has no link is nobody, and leaves no record
	}
	from := act.From(ctx)
	ctx = act.With(ctx, act.Link(audit.KindLink, contact.Title, from.Address, from.Browser))
	return n.acknowledge(ctx, e.ID, contact.Title, "")
}

func (n *Notifications) acknowledge(ctx context.Context, id, called string, needs access.Act) error {
	a := act.Act{Name: "escalation.acknowledge", Needs: needs, On: audit.Object{Kind: "escalation", Name: id}}
	return n.o.Recorder.Change(ctx, a, func(ctx context.Context, e *act.Entry) error {
		now, err := n.o.Store.Notices.Escalation(ctx, id)
		if err != nil {
			return err
		}
		if !now.AcknowledgedAt.IsZero() || !now.ClosedAt.IsZero() {
			e.Unchanged()
			return nil
		}
		return n.o.Escalation.Acknowledge(ctx, id, called)
	})
}

// StartDrill sends to people what they would be sent if an event happened to a connection,
// marked as a drill, and returns the escalation's id. Errors: store.ErrNotFound.
func (n *Notifications) StartDrill(ctx context.Context, event policy.Event, connectionID string) (id string, err error) {
	a := manage("connection", connectionID, act.Act{Name: "escalation.drill", Detail: []string{"event", string(event)}})
	err = n.o.Recorder.Change(ctx, a, func(ctx context.Context, e *act.Entry) error {
		c, err := n.o.Store.Grants.Connection(ctx, connectionID)
		if err != nil {
			return err
		}
		e.Named(c.Name)
		id, err = n.o.Escalation.StartDrill(ctx, event, c.ID)
		return err
	})
	return id, err
}

// EndDrill ends a drill and notifies the receivers of its start. Errors:
// store.ErrNotFound.
func (n *Notifications) EndDrill(ctx context.Context, id string) error {
	return n.o.Recorder.Change(ctx, manage("escalation", id, act.Act{Name: "escalation.end_drill"}), func(ctx context.Context, _ *act.Entry) error {
		return n.o.Escalation.EndDrill(ctx, id)
	})
}

// Resend has a message tried again that was given up, and returns its escalation's id.
// Errors: store.ErrNotFound.
func (n *Notifications) Resend(ctx context.Context, id string) (escalationID string, err error) {
	err = n.o.Recorder.Change(ctx, manage("delivery", id, act.Act{Name: "delivery.resend"}), func(ctx context.Context, _ *act.Entry) (err error) {
		escalationID, err = n.o.Escalation.Resend(ctx, id)
		return err
	})
	return escalationID, err
}
