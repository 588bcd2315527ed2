package notifications

import (
	"context"

	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
)

// Channels reads all channels, by title.
func (n *Notifications) Channels(ctx context.Context) ([]noticedb.Channel, error) {
	return n.o.Store.Notices.Channels(ctx)
}

// Channel reads a channel. Errors: store.ErrNotFound.
func (n *Notifications) Channel(ctx context.Context, id string) (noticedb.Channel, error) {
	return n.o.Store.Notices.Channel(ctx, id)
}

// Contacts reads all contacts, by title.
func (n *Notifications) Contacts(ctx context.Context) ([]policy.Contact, error) {
	return n.o.Store.People.Contacts(ctx)
}

// Contact reads a contact. Errors: store.ErrNotFound.
func (n *Notifications) Contact(ctx context.Context, id string) (policy.Contact, error) {
	return n.o.Store.People.Contact(ctx, id)
}

// Policies reads all policies, by title.
func (n *Notifications) Policies(ctx context.Context) ([]policy.Policy, error) {
	return n.o.Store.Notices.Policies(ctx)
}

// Policy reads a policy. Errors: store.ErrNotFound.
func (n *Notifications) Policy(ctx context.Context, id string) (policy.Policy, error) {
	return n.o.Store.Notices.Policy(ctx, id)
}

// Texts reads the texts that were edited, by escalation.TemplateKey.
func (n *Notifications) Texts(ctx context.Context) (map[string]string, error) {
	return n.o.Store.Notices.MessageTemplates(ctx)
}

// Escalations reads those that a filter chooses, the newest first.
func (n *Notifications) Escalations(ctx context.Context, f noticedb.EscalationFilter) ([]noticedb.Escalation, error) {
	return n.o.Store.Notices.Escalations(ctx, f)
}

// Escalation reads an escalation. Errors: store.ErrNotFound.
func (n *Notifications) Escalation(ctx context.Context, id string) (noticedb.Escalation, error) {
	return n.o.Store.Notices.Escalation(ctx, id)
}

// Deliveries reads the messages of an escalation.
func (n *Notifications) Deliveries(ctx context.Context, escalationID string) ([]noticedb.Delivery, error) {
	return n.o.Store.Notices.Deliveries(ctx, escalationID)
}

// DeadDeliveries reads messages that were given up, the newest first.
func (n *Notifications) DeadDeliveries(ctx context.Context, most int) ([]noticedb.Delivery, error) {
	return n.o.Store.Notices.DeadDeliveries(ctx, most)
}

// Sent counts the messages of escalations by their states, by the escalation's id.
func (n *Notifications) Sent(ctx context.Context, ids []string) (map[string]map[string]int, error) {
	return n.o.Store.Notices.DeliveryStates(ctx, ids)
}

// Affected reads the names of connections, by id.
func (n *Notifications) Affected(ctx context.Context, ids []string) (map[string]string, error) {
	return n.o.Store.Grants.ConnectionNames(ctx, ids)
}
