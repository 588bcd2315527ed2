package notifications

import (
	"context"
	"errors"
	"time"

	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/channel"
	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store"
)

// ContactDraft is a contact as it was entered.
type ContactDraft struct {
	// Contact has no ID if it is new.
	policy.Contact

	// Unread are fields that could not be read: the draft is refused.
	Unread []Problem
}

// SaveContact adds a contact or changes one. Errors: *InvalidError, store.ErrNotFound.
func (n *Notifications) SaveContact(ctx context.Context, d ContactDraft) (saved policy.Contact, err error) {
	saved = d.Contact
	err = n.o.Recorder.Change(ctx, manage("contact", d.Title, act.Act{Name: "contact.save"}), func(ctx context.Context, _ *act.Entry) error {
		if saved.ID == "" {
			saved.ID = store.NewID()
		} else if _, err := n.o.Store.People.Contact(ctx, saved.ID); err != nil {
			return err
		}
		if err := n.checkContact(ctx, d); err != nil {
			return err
		}
		err := n.o.Store.People.SaveContact(ctx, saved, time.Now())
		if errors.Is(err, store.ErrNameTaken) {
			return &InvalidError{Problems: []Problem{{Field: "title", Code: Taken}}}
		}
		return err
	})
	return saved, err
}

// checkContact finds what is wrong with what was entered.
func (n *Notifications) checkContact(ctx context.Context, d ContactDraft) error {
	invalid := &InvalidError{Problems: d.Unread}
	channels, err := n.o.Store.Notices.Channels(ctx)
	if err != nil {
		return err
	}
	for _, x := range channels {
		if to := d.On(x.ID); to != "" && channel.CheckAddress(channel.Kind(x.Kind), to) != nil {
			invalid.add("address."+x.ID, Invalid)
		}
	}
	if d.Title == "" {
		invalid.add("title", Missing)
	}
	if _, err := time.LoadLocation(d.Zone); err != nil || d.Zone == "" {
		invalid.add("zone", Invalid)
	}
	return invalid.orNil()
}

// DeleteContact deletes a contact, and returns it. Errors: store.ErrNotFound.
func (n *Notifications) DeleteContact(ctx context.Context, id string) (deleted policy.Contact, err error) {
	err = n.o.Recorder.Change(ctx, manage("contact", id, act.Act{Name: "contact.delete"}), func(ctx context.Context, e *act.Entry) (err error) {
		if deleted, err = n.o.Store.People.Contact(ctx, id); err != nil {
			return err
		}
		e.Named(deleted.Title)
		return n.o.Store.People.DeleteContact(ctx, id)
	})
	return deleted, err
}
