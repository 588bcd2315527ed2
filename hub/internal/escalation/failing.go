package escalation

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
)

// NotTaken is how a message was not accepted.
type NotTaken struct {
	Reason, Said string
	// Again is when it is retried; zero abandons it.
	Again time.Time
	// Unknown is set if it may have been accepted all the same.
	Unknown bool
	// Moot is set if its subject is gone, so that no substitute has to be notified.
	Moot bool
}

// Failed records that a message was not accepted. It is not retried if its incident is over
// or acknowledged by then, and a contact that was certainly not notified of an incident is
// not notified of its end. An abandoned one expedites the next step of its escalation if
// none of its messages was sent, and the last one is planned on other channels. A delivery
// that another replica has claimed since is not changed.
func (p *Planner) Failed(ctx context.Context, d noticedb.Delivery, f NotTaken, now time.Time) error {
	return p.store.InTx(ctx, func(ctx context.Context) error {
		// The lock serializes this with the end of the incident and its acknowledgement.
		about, err := p.store.Notices.LockEscalation(ctx, d.EscalationID)
		if errors.Is(err, store.ErrNotFound) {
			return nil // it was removed, and its deliveries with it
		}
		if err != nil {
			return err
		}
		changed, err := p.store.Notices.FailDelivery(ctx, d, failureOf(d, about, f))
		switch {
		case err != nil || !changed || d.Kind != noticedb.DeliveryProblem:
			return err
		case !about.ClosedAt.IsZero() && !mayHaveArrived(d, f):
			return p.store.Notices.DropDelivery(ctx, d.EscalationID, noticedb.DeliveryRecovered, policy.Planned{Contact: d.Contact, Channel: d.Channel})
		case f.Again.IsZero():
			return p.abandoned(ctx, about, f, now)
		}
		return nil
	})
}

// failureOf decides what becomes of a delivery that was not accepted.
func failureOf(d noticedb.Delivery, about noticedb.Escalation, f NotTaken) noticedb.Failure {
	failure := noticedb.Failure{State: noticedb.DeliveryWaiting, DueAt: f.Again, Reason: f.Reason, Said: f.Said, Settled: !f.Unknown}
	switch {
	case f.Again.IsZero():
		failure.State = noticedb.DeliveryDead
	case d.Kind == noticedb.DeliveryProblem && needsNobody(about):
		failure.State = noticedb.DeliveryDropped
	}
	return failure
}

// mayHaveArrived reports whether a contact may have got a message that was not accepted.
func mayHaveArrived(d noticedb.Delivery, f NotTaken) bool {
	return d.Begun > 1 || f.Unknown && d.Begun > 0
}

// needsNobody reports whether nobody has to be notified of an escalation any more.
func needsNobody(e noticedb.Escalation) bool {
	return !e.ClosedAt.IsZero() || !e.AcknowledgedAt.IsZero()
}

// abandoned continues an escalation of which a message was abandoned.
func (p *Planner) abandoned(ctx context.Context, about noticedb.Escalation, f NotTaken, now time.Time) error {
	steps, err := p.store.Notices.Steps(ctx, about.ID, noticedb.DeliveryProblem)
	if err != nil {
		return err
	}
	if next, ok := toExpedite(steps, now); ok {
		return p.store.Notices.ExpediteDelivery(ctx, next, now)
	}
	if f.Moot || needsNobody(about) || !allAbandoned(steps) {
		return nil
	}
	return p.otherWays(ctx, about, steps, now)
}

// toExpedite returns the next step of an escalation of which no message was sent; ok is
// false if one was, or is being sent, or the next step is due.
func toExpedite(steps []noticedb.Delivery, now time.Time) (next noticedb.Delivery, ok bool) {
	for _, d := range steps {
		switch {
		case d.State == noticedb.DeliverySent || d.State == noticedb.DeliverySending:
			return noticedb.Delivery{}, false
		case d.State != noticedb.DeliveryWaiting || d.Attempts > 0:
			continue
		case next.ID == "" || d.DueAt.Before(next.DueAt):
			next = d
		}
	}
	return next, next.ID != "" && next.DueAt.After(now)
}

// allAbandoned reports whether no message of an escalation was sent or will be.
func allAbandoned(steps []noticedb.Delivery) bool {
	return !slices.ContainsFunc(steps, func(d noticedb.Delivery) bool {
		return d.State == noticedb.DeliverySent || d.State == noticedb.DeliverySending || d.State == noticedb.DeliveryWaiting
	})
}

// otherWays plans messages on channels that were not tried.
func (p *Planner) otherWays(ctx context.Context, about noticedb.Escalation, steps []noticedb.Delivery, now time.Time) error {
	tried := make([]policy.Planned, 0, len(steps))
	for _, d := range steps {
		tried = append(tried, policy.Planned{Contact: d.Contact, Channel: d.Channel})
	}
	contacts, rules, err := p.rules(ctx)
	if err != nil {
		return err
	}
	situation, err := p.situation(ctx, about.Event, now, about.Connections)
	if err != nil {
		return err
	}
	return p.store.Notices.AddDeliveries(ctx, about.ID, noticedb.DeliveryProblem, policy.OtherWays(situation, rules, contacts, tried))
}
