package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/app/notifications"
	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// emptySteps are offered below those that a policy has.
const emptySteps = 3

func (p *escalationSetup) policyForm(c *gin.Context) {
	v := view.PolicyForm{Policy: policy.Policy{Enabled: true, Events: []policy.Event{policy.GrantEnded, policy.PersonIn3, policy.OperatorNeeded}}}
	if id := c.Param("id"); id != "" {
		var err error
		if v.Policy, err = p.notifications.Policy(c.Request.Context(), id); err != nil {
			p.fail(c, err)
			return
		}
	} else {
		v.Policy.Steps = []policy.Step{{To: policy.ToOwner}}
	}
	p.showPolicy(c, http.StatusOK, v)
}

func (p *escalationSetup) showPolicy(c *gin.Context, status int, v view.PolicyForm) {
	if err := p.policyChoices(c.Request.Context(), &v); err != nil {
		p.fail(c, err)
		return
	}
	v.Policy.Steps = append(v.Policy.Steps, make([]policy.Step, emptySteps)...)
	p.render(c, status, page.PolicyForm(p.shell(c, view.SectionEscalations), v))
}

func (p *escalationSetup) policyChoices(ctx context.Context, v *view.PolicyForm) (err error) {
	if v.Contacts, err = p.notifications.Contacts(ctx); err != nil {
		return err
	}
	if v.Channels, err = p.notifications.Channels(ctx); err != nil {
		return err
	}
	services, err := p.services.List(ctx)
	if err != nil {
		return err
	}
	for _, s := range services {
		v.Services, v.ServiceIDs = append(v.Services, p.serviceRef(s)), append(v.ServiceIDs, s.ID)
	}
	v.Tags, err = p.keys.Tags(ctx)
	return err
}

// savePolicy adds a policy or changes one.
func (p *escalationSetup) savePolicy(c *gin.Context) {
	ctx := c.Request.Context()
	v := view.PolicyForm{Problems: map[string]i18n.Words{}}
	v.Policy = policy.Policy{
		ID: c.Param("id"), Title: strings.TrimSpace(c.PostForm("title")), Enabled: ticked(c, "enabled"), Urgent: ticked(c, "urgent"),
		Services: c.PostFormArray("services"), Tags: c.PostFormArray("tags"),
	}
	for _, event := range c.PostFormArray("events") {
		if slices.Contains(policy.Events, policy.Event(event)) {
			v.Policy.Events = append(v.Policy.Events, policy.Event(event))
		}
	}
	contacts, err := p.notifications.Contacts(ctx)
	if err != nil {
		p.fail(c, err)
		return
	}
	d := notifications.PolicyDraft{Unread: readSteps(c, &v, contacts)}
	d.Policy = v.Policy
	saved, err := p.notifications.SavePolicy(ctx, d)
	if invalid, is := errors.AsType[*notifications.InvalidError](err); is {
		v.Problems = formProblems(invalid)
		p.showPolicy(c, http.StatusUnprocessableEntity, v)
		return
	}
	if err != nil {
		p.fail(c, err)
		return
	}
	p.flash(c, view.Flash{Key: "flash.policy_saved", Name: saved.Title})
	back(c, "/escalation")
}

// longestAfter bounds the time before a step.
const longestAfter = 7 * 24 * time.Hour

// readAfter reads minutes, or a length of time with its unit: 10, 90s, 2h.
func readAfter(text string) (time.Duration, bool) {
	text = strings.TrimSpace(text)
	if text == "" {
		return 0, true
	}
	wait, err := time.ParseDuration(text)
	if minutes, notNumber := strconv.Atoi(text); notNumber == nil {
		wait, err = time.Duration(minutes)*time.Minute, nil
	}
	return wait, err == nil && wait >= 0 && wait <= longestAfter
}

// readSteps takes the rows of the form that name a recipient, and returns what of them
// cannot be read.
func readSteps(c *gin.Context, v *view.PolicyForm, contacts []policy.Contact) (unread []notifications.Problem) {
	after, to, channels := c.PostFormArray("after"), c.PostFormArray("to"), c.PostFormArray("channel")
	for i := range to {
		if to[i] == "" || i >= len(after) || i >= len(channels) {
			continue
		}
		wait, ok := readAfter(after[i])
		if !ok {
			unread = append(unread, notifications.Problem{Field: "steps", Code: notifications.Invalid})
		}
		if id, there := contactEntered(contacts, to[i]); there {
			to[i] = id
		} else if strings.EqualFold(to[i], i18n.T(c.Request.Context(), "escalation.owner")) {
			to[i] = policy.ToOwner
		} else if to[i] != policy.ToOwner {
			unread = append(unread, notifications.Problem{Field: "steps", Code: unknownContact})
		}
		v.Policy.Steps = append(v.Policy.Steps, policy.Step{After: wait, To: to[i], Channel: channels[i]})
	}
	slices.SortStableFunc(v.Policy.Steps, func(a, b policy.Step) int { return int(a.After - b.After) })
	return unread
}

func (p *escalationSetup) deletePolicy(c *gin.Context) {
	stored, err := p.notifications.DeletePolicy(c.Request.Context(), c.Param("id"))
	if err != nil {
		p.fail(c, err)
		return
	}
	p.flash(c, view.Flash{Key: "flash.deleted", Name: stored.Title})
	back(c, "/escalation")
}
