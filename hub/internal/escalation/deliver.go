package escalation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/evergrant/evergrant/hub/internal/channel"
	"github.com/evergrant/evergrant/hub/internal/crashpoint"
	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
)

// The hub's own reasons why a message is abandoned, beside those of channel.Reason.
const (
	ReasonNoContact = "no_contact"
	ReasonNoAddress = "no_address"
	ReasonNoChannel = "no_channel"
	ReasonDisabled  = "disabled"
	// ReasonUnknown: twice it was unknown whether the message was accepted.
	ReasonUnknown = "unknown"
	ReasonTooOld  = "too_old"
)

// Results of a send, for Options.Delivered.
const (
	Delivered = "delivered"
	Retried   = "retried"
	Failed    = "failed" // abandoned
)

// mostUnknown is how often a message is sent whose acceptance is unknown: a lost message
// is worse than one duplicate, but not than many.
const mostUnknown = 2

// deliver sends one message that this replica has taken.
func (e *Escalation) deliver(ctx context.Context, d noticedb.Delivery) error {
	contact, via, reason, err := e.way(ctx, d)
	if err != nil {
		return err
	}
	if reason != "" {
		return e.giveUp(ctx, d, via.Kind, reason)
	}
	kind := channel.Kind(via.Kind)
	if d.Begun >= mostUnknown && !kind.Idempotent() {
		return e.giveUp(ctx, d, via.Kind, ReasonUnknown)
	}
	message, err := e.messageOf(ctx, d, contact, kind)
	if errors.Is(err, store.ErrNotFound) {
		return e.giveUp(ctx, d, via.Kind, ReasonTooOld) // what it was about is gone
	}
	if err != nil {
		return fmt.Errorf("write a message: %w", err)
	}
	crashpoint.At(crashpoint.BeforeSend)
	if err := e.o.Store.Notices.BeginSend(ctx, d.ID, e.o.Replica, time.Now().Add(lease)); err != nil {
		if errors.Is(err, store.ErrNotFound) {
			return nil // another replica has it, or it is not needed any more
		}
		return err
	}
	d.Begun++
	d.Attempts++
	message.To = contact.On(d.Channel)
	sending, cancel := context.WithTimeout(ctx, sendTimeout)
	receipt, err := e.o.Senders.Send(sending, kind, via.Settings, message)
	cancel()
	crashpoint.At(crashpoint.Sent)
	if err == nil {
		return e.sent(ctx, d, contact, via, receipt)
	}
	return e.notTaken(ctx, d, via, err)
}

// way returns the contact and channel of a delivery. reason is why there is none.
func (e *Escalation) way(ctx context.Context, d noticedb.Delivery) (contact policy.Contact, via noticedb.Channel, reason string, err error) {
	if contact, err = e.o.Store.People.Contact(ctx, d.Contact); errors.Is(err, store.ErrNotFound) {
		return contact, via, ReasonNoContact, nil
	}
	if err != nil {
		return contact, via, "", err
	}
	if via, err = e.o.Store.Notices.Channel(ctx, d.Channel); errors.Is(err, store.ErrNotFound) {
		return contact, via, ReasonNoChannel, nil
	}
	switch {
	case err != nil:
		return contact, via, "", err
	case !via.DisabledAt.IsZero():
		return contact, via, ReasonDisabled, nil
	case contact.On(via.ID) == "":
		return contact, via, ReasonNoAddress, nil
	}
	return contact, via, "", nil
}

// messageOf is the text of a delivery, composed once, so that a retry sends the same.
func (e *Escalation) messageOf(ctx context.Context, d noticedb.Delivery, contact policy.Contact, kind channel.Kind) (m channel.Message, err error) {
	if len(d.Message) > 0 {
		return m, json.Unmarshal(d.Message, &m)
	}
	m, ackHash, err := e.compose(ctx, d, contact, kind)
	if err != nil {
		return m, err
	}
	data, err := json.Marshal(m)
	if err != nil {
		return m, err
	}
	return m, e.o.Store.Notices.WriteDelivery(ctx, d.ID, data, ackHash)
}

// sent records a message that was accepted. It is retried, because an unrecorded message
// is sent again.
func (e *Escalation) sent(ctx context.Context, d noticedb.Delivery, contact policy.Contact, via noticedb.Channel, receipt channel.Receipt) error {
	e.o.Delivered(via.Kind, Delivered)
	e.o.Logger.Info("notification sent", "escalation", d.EscalationID, "kind", d.Kind, "contact", contact.Title, "channel", via.Title, "attempt", d.Attempts)
	if receipt.MovedTo != "" {
		e.moved(ctx, contact, via.ID, receipt.MovedTo)
	}
	var err error
	for wait := 100 * time.Millisecond; wait < lease/4; wait *= 3 {
		if err = e.o.Store.Notices.SentDelivery(ctx, d.ID, receipt.Reference, time.Now()); err == nil || errors.Is(err, store.ErrNotFound) {
			return nil
		}
		<-time.After(wait)
	}
	return err
}

// moved keeps the new address of a contact.
func (e *Escalation) moved(ctx context.Context, c policy.Contact, channelID, to string) {
	if err := e.o.Store.People.MoveContact(ctx, c.ID, channelID, c.On(channelID), to, time.Now()); err != nil {
		e.o.Logger.Warn("save contact address failed", "contact", c.Title, "error", err)
	}
}

// notTaken decides whether a message is tried again.
func (e *Escalation) notTaken(ctx context.Context, d noticedb.Delivery, via noticedb.Channel, err error) error {
	failure, ok := errors.AsType[*channel.Error](err)
	if !ok {
		failure = &channel.Error{Reason: channel.Away, Said: "the channel failed"}
	}
	now := time.Now()
	f := NotTaken{Reason: string(failure.Reason), Said: failure.Said, Unknown: failure.Maybe}
	if again, inTime := policy.Retry(now, d.FirstDueAt, d.Attempts, failure.RetryAfter); !failure.Permanent && inTime {
		f.Again = again
	}
	if f.Again.IsZero() {
		e.o.Delivered(via.Kind, Failed)
	} else {
		e.o.Delivered(via.Kind, Retried)
	}
	if failure.Disable {
		if err := e.o.Store.Notices.DisableChannel(ctx, via, now); err != nil {
			return err
		}
	}
	e.o.Logger.Warn("send notification failed", "escalation", d.EscalationID, "channel", via.Title, "reason", f.Reason, "said", f.Said, "attempt", d.Attempts, "again", f.Again)
	if err := e.planner.Failed(ctx, d, f, now); err != nil {
		return err
	}
	e.Wake() // the next step may have been brought forward
	return nil
}

// giveUp ends a delivery that no try can help; it can be seen and sent again.
func (e *Escalation) giveUp(ctx context.Context, d noticedb.Delivery, kind, reason string) error {
	e.o.Delivered(kind, Failed)
	e.o.Logger.Warn("notification abandoned", "escalation", d.EscalationID, "reason", reason)
	if err := e.planner.Failed(ctx, d, NotTaken{Reason: reason, Unknown: true, Moot: reason == ReasonTooOld}, time.Now()); err != nil {
		return err
	}
	e.Wake()
	return nil
}
