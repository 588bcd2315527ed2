package notifications

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/escalation"
	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store"
)

// PolicyDraft is a policy as it was entered.
type PolicyDraft struct {
	// Policy has no ID if it is new.
	policy.Policy

	// Unread are fields that could not be read: the draft is refused.
	Unread []Problem
}

// SavePolicy adds a policy or changes one. Errors: *InvalidError, store.ErrNotFound.
func (n *Notifications) SavePolicy(ctx context.Context, d PolicyDraft) (saved policy.Policy, err error) {
	saved = d.Policy
	err = n.o.Recorder.Change(ctx, manage("policy", d.Title, act.Act{Name: "policy.save"}), func(ctx context.Context, _ *act.Entry) error {
		if saved.ID == "" {
			saved.ID = store.NewID()
		} else if _, err := n.o.Store.Notices.Policy(ctx, saved.ID); err != nil {
			return err
		}
		if err := checkPolicy(d); err != nil {
			return err
		}
		err := n.o.Store.Notices.SavePolicy(ctx, saved, time.Now())
		if errors.Is(err, store.ErrNameTaken) {
			return &InvalidError{Problems: []Problem{{Field: "title", Code: Taken}}}
		}
		return err
	})
	return saved, err
}

// checkPolicy finds the first thing that is wrong with what was entered.
func checkPolicy(d PolicyDraft) error {
	invalid := &InvalidError{Problems: d.Unread}
	switch {
	case d.Title == "":
		invalid.add("title", Missing)
	case len(d.Events) == 0:
		invalid.add("events", Missing)
	case len(d.Steps) == 0 && len(d.Unread) == 0:
		invalid.add("steps", Missing)
	}
	return invalid.orNil()
}

// DeletePolicy deletes a policy, and returns it. Errors: store.ErrNotFound.
func (n *Notifications) DeletePolicy(ctx context.Context, id string) (deleted policy.Policy, err error) {
	err = n.o.Recorder.Change(ctx, manage("policy", id, act.Act{Name: "policy.delete"}), func(ctx context.Context, e *act.Entry) (err error) {
		if deleted, err = n.o.Store.Notices.Policy(ctx, id); err != nil {
			return err
		}
		e.Named(deleted.Title)
		return n.o.Store.Notices.DeletePolicy(ctx, id)
	})
	return deleted, err
}

// SaveTexts keeps the parts of a topic's message in a language; one that is as it was
// delivered is not kept. Errors: *InvalidError for parts that cannot be filled in.
func (n *Notifications) SaveTexts(ctx context.Context, topic, lang string, parts map[string]string) error {
	a := manage("text", topic+" "+lang, act.Act{Name: "text.save"})
	return n.o.Recorder.Change(ctx, a, func(ctx context.Context, _ *act.Entry) error {
		invalid := &InvalidError{}
		for _, part := range escalation.Parts {
			if _, err := escalation.Preview(parts[part], lang, n.o.PublicURL); err != nil {
				invalid.add("text."+part, Invalid)
			}
		}
		if err := invalid.orNil(); err != nil {
			return err
		}
		for _, part := range escalation.Parts {
			text := parts[part]
			if text == strings.TrimSpace(escalation.Original(topic, lang, part)) {
				text = ""
			}
			if err := n.o.Store.Notices.SaveMessageTemplate(ctx, escalation.TemplateKey(topic, lang, part), text, time.Now()); err != nil {
				return err
			}
		}
		return nil
	})
}

// ResetTexts goes back to the texts of a topic that were delivered.
func (n *Notifications) ResetTexts(ctx context.Context, topic, lang string) error {
	a := manage("text", topic+" "+lang, act.Act{Name: "text.save", Detail: []string{"reset", "yes"}})
	return n.o.Recorder.Change(ctx, a, func(ctx context.Context, _ *act.Entry) error {
		for _, part := range escalation.Parts {
			if err := n.o.Store.Notices.SaveMessageTemplate(ctx, escalation.TemplateKey(topic, lang, part), "", time.Now()); err != nil {
				return err
			}
		}
		return nil
	})
}
