package escalation

import (
	"context"
	"errors"
	"time"

	"github.com/evergrant/evergrant/hub/internal/channel"
	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/randtoken"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
)

// ErrLinkUnknown is an acknowledge link that was never ours, or whose escalation is
// long over.
var ErrLinkUnknown = errors.New("this link is not known; open the hub to see how things stand")

// ByLink returns the escalation of an acknowledge link and the contact it was sent to. It
// changes nothing, because messengers open links before people do. Errors:
// ErrLinkUnknown.
func (e *Escalation) ByLink(ctx context.Context, token string) (noticedb.Escalation, policy.Contact, error) {
	esc, contactID, err := e.o.Store.Notices.EscalationByAck(ctx, randtoken.Hash(token))
	if errors.Is(err, store.ErrNotFound) {
		return esc, policy.Contact{}, ErrLinkUnknown
	}
	if err != nil {
		return esc, policy.Contact{}, err
	}
	contact, err := e.o.Store.People.Contact(ctx, contactID)
	if errors.Is(err, store.ErrNotFound) {
		return esc, policy.Contact{}, ErrLinkUnknown
	}
	return esc, contact, err
}

// Acknowledge records who takes care of the escalation.
func (e *Escalation) Acknowledge(ctx context.Context, id, by string) error {
	return e.planner.Acknowledge(ctx, id, by, time.Now())
}

// Test sends a message by a channel, marked as a test, now. Errors: *channel.Error.
func (e *Escalation) Test(ctx context.Context, via noticedb.Channel, to, lang string) (channel.Receipt, error) {
	if err := e.o.Store.Detached(ctx); err != nil {
		return channel.Receipt{}, &channel.Error{Reason: channel.Away, Said: err.Error()}
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	m := channel.Message{
		ID: store.NewID(), To: to, Lang: lang, At: time.Now(), Type: "test", Subject: phrase(lang, "test_subject"), Text: phrase(lang, "test_text") + " " + e.o.PublicURL, Data: []byte(`{"test":true}`),
	}
	return e.o.Senders.Send(ctx, channel.Kind(via.Kind), via.Settings, m)
}

// Rehearse returns who would be notified of what and when if an event happened now to a
// connection. Nothing is written.
func (e *Escalation) Rehearse(ctx context.Context, event policy.Event, connectionID string) ([]policy.Planned, error) {
	return e.planner.Plan(ctx, event, time.Now(), []string{connectionID})
}

// StartDrill sends what Rehearse returns, marked as a drill, and returns the escalation's
// id. EndDrill ends it.
func (e *Escalation) StartDrill(ctx context.Context, event policy.Event, connectionID string) (string, error) {
	now := time.Now()
	c, err := e.o.Store.Grants.Connection(ctx, connectionID)
	if err != nil {
		return "", err
	}
	esc := noticedb.Escalation{
		ID: store.NewID(), Event: event, ServiceID: c.ServiceID, Affected: 1, Connections: []string{c.ID}, OpenedAt: now, Drill: true,
		Code: "drill", Message: "this is a drill",
	}
	switch TopicOf(event) {
	case topicPerson, topicSecret, topicCertificate:
		esc.PersonBy = now.AddDate(0, 0, 3)
	}
	if err := e.planner.Open(ctx, esc); err != nil {
		return "", err
	}
	e.o.Store.AfterCommit(ctx, e.Wake)
	return esc.ID, nil
}

// EndDrill ends a drill, and notifies those who were notified of its start.
func (e *Escalation) EndDrill(ctx context.Context, id string) error {
	esc, err := e.o.Store.Notices.Escalation(ctx, id)
	if err != nil {
		return err
	}
	if !esc.Drill {
		return store.ErrNotFound
	}
	if err := e.planner.Close(ctx, id, time.Now()); err != nil {
		return err
	}
	e.o.Store.AfterCommit(ctx, e.Wake)
	return nil
}

// Resend has a message tried again that was given up, and returns its escalation's id.
// Errors: store.ErrNotFound.
func (e *Escalation) Resend(ctx context.Context, deliveryID string) (escalationID string, err error) {
	d, err := e.o.Store.Notices.Delivery(ctx, deliveryID)
	if err != nil {
		return "", err
	}
	if err := e.o.Store.Notices.ResendDelivery(ctx, d.ID, time.Now()); err != nil {
		return "", err
	}
	e.o.Store.AfterCommit(ctx, e.Wake)
	return d.EscalationID, nil
}
