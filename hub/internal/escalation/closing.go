package escalation

import (
	"context"
	"time"

	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
)

// Acknowledge records who takes care of an escalation: the steps that were not sent are
// dropped. One that is acknowledged or closed is not changed.
func (p *Planner) Acknowledge(ctx context.Context, id, by string, now time.Time) error {
	return p.store.InTx(ctx, func(ctx context.Context) error {
		acknowledged, err := p.store.Notices.AcknowledgeEscalation(ctx, id, by, now)
		if err != nil || !acknowledged {
			return err
		}
		return p.store.Notices.DropWaiting(ctx, id, noticedb.DeliveryProblem)
	})
}

// Close closes an escalation that is over: the steps that were not sent are dropped, and
// the end is sent to each contact that was notified of it, or may have been. One that is
// closed, or does not exist, is not changed.
func (p *Planner) Close(ctx context.Context, id string, now time.Time) error {
	return p.store.InTx(ctx, func(ctx context.Context) error {
		// The conditional change comes first: it locks out a failure that is being recorded.
		closed, err := p.store.Notices.CloseEscalation(ctx, id, now)
		if err != nil || !closed {
			return err
		}
		if err := p.store.Notices.DropWaiting(ctx, id, noticedb.DeliveryProblem); err != nil {
			return err
		}
		steps, err := p.store.Notices.Steps(ctx, id, noticedb.DeliveryProblem)
		if err != nil {
			return err
		}
		if err := p.store.Notices.AddDeliveries(ctx, id, noticedb.DeliveryRecovered, notified(steps, now)); err != nil {
			return err
		}
		e, err := p.store.Notices.Escalation(ctx, id)
		if err != nil {
			return err
		}
		return p.plan(ctx, e, policy.Recovered, now)
	})
}

// notified are the messages about the end at a time for those who were notified of the
// start: a message was sent to them, is being sent, or may have arrived.
func notified(steps []noticedb.Delivery, at time.Time) (planned []policy.Planned) {
	for _, d := range steps {
		if d.State == noticedb.DeliverySent || d.State == noticedb.DeliverySending || d.Begun > 0 {
			planned = append(planned, policy.Planned{Contact: d.Contact, Channel: d.Channel, Step: len(planned), At: at})
		}
	}
	return planned
}

// Supersede closes an escalation without a message, because another one continues it or
// nobody has to know of its end. One that is closed is not changed.
func (p *Planner) Supersede(ctx context.Context, id string, now time.Time) error {
	return p.store.InTx(ctx, func(ctx context.Context) error {
		closed, err := p.store.Notices.CloseEscalation(ctx, id, now)
		if err != nil || !closed {
			return err
		}
		return p.store.Notices.DropWaiting(ctx, id, noticedb.DeliveryProblem)
	})
}
