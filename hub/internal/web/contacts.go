package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/app/notifications"
	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

func (p *escalationSetup) contactForm(c *gin.Context) {
	ctx := c.Request.Context()
	v := view.ContactForm{Contact: policy.Contact{Lang: i18n.Lang(ctx), Zone: i18n.From(ctx).Zone.String()}}
	if id := c.Param("id"); id != "" {
		var err error
		if v.Contact, err = p.notifications.Contact(ctx, id); err != nil {
			p.fail(c, err)
			return
		}
	}
	if q := v.Contact.Quiet; q.From != q.Until {
		v.From, v.Until = clockOf(q.From), clockOf(q.Until)
	}
	p.showContact(c, http.StatusOK, v)
}

func clockOf(minutes int) string { return fmt.Sprintf("%02d:%02d", minutes/60, minutes%60) }

func (p *escalationSetup) showContact(c *gin.Context, status int, v view.ContactForm) {
	if err := p.contactChoices(c.Request.Context(), &v); err != nil {
		p.fail(c, err)
		return
	}
	p.render(c, status, page.ContactForm(p.shell(c, view.SectionEscalations), v))
}

func (p *escalationSetup) contactChoices(ctx context.Context, v *view.ContactForm) error {
	users, err := p.people.Users(ctx)
	if err != nil {
		return err
	}
	for _, u := range users {
		v.Users = append(v.Users, view.Member{ID: u.ID, Login: u.Login, Name: u.Name})
	}
	v.Channels, err = p.notifications.Channels(ctx)
	return err
}

// saveContact adds a contact or changes one.
func (p *escalationSetup) saveContact(c *gin.Context) {
	ctx := c.Request.Context()
	v := view.ContactForm{Problems: map[string]i18n.Words{}, From: strings.TrimSpace(c.PostForm("quiet_from")), Until: strings.TrimSpace(c.PostForm("quiet_until"))}
	v.Contact = policy.Contact{
		ID: c.Param("id"), Title: strings.TrimSpace(c.PostForm("title")), UserID: c.PostForm("user"), Lang: c.PostForm("lang"),
		Zone: strings.TrimSpace(c.PostForm("zone")), TakesRest: ticked(c, "takes_rest"),
	}
	d := notifications.ContactDraft{}
	if entered := v.Contact.UserID; entered != "" {
		id, there, err := p.userEntered(ctx, entered)
		if err != nil {
			p.fail(c, err)
			return
		}
		if v.Contact.UserID = id; !there {
			v.Contact.UserID, d.Unread = entered, append(d.Unread, notifications.Problem{Field: "user", Code: notifications.Invalid})
		}
	}
	channels, err := p.notifications.Channels(ctx)
	if err != nil {
		p.fail(c, err)
		return
	}
	for _, x := range channels {
		to := strings.TrimSpace(c.PostForm("address." + x.ID))
		if to != "" {
			v.Contact.Addresses = append(v.Contact.Addresses, policy.Address{Channel: x.ID, To: to})
		}
	}
	if v.Contact.Lang != "ru" {
		v.Contact.Lang = "en"
	}
	first(v.Contact.Addresses, c.PostForm("first"))
	d.Unread = append(d.Unread, readQuiet(&v)...)
	d.Contact = v.Contact
	saved, err := p.notifications.SaveContact(ctx, d)
	if invalid, is := errors.AsType[*notifications.InvalidError](err); is {
		v.Problems = formProblems(invalid)
		p.showContact(c, http.StatusUnprocessableEntity, v)
		return
	}
	if err != nil {
		p.fail(c, err)
		return
	}
	p.flash(c, view.Flash{Key: "flash.contact_saved", Name: saved.Title})
	back(c, "/escalation")
}

// first puts the address of a channel before the others: it is used where no policy
// selects a channel.
func first(addresses []policy.Address, channelID string) {
	for i := range addresses {
		if addresses[i].Channel == channelID {
			addresses[0], addresses[i] = addresses[i], addresses[0]
		}
	}
}

// readQuiet reads the hours in which a contact is not woken, and returns what of them
// cannot be read.
func readQuiet(v *view.ContactForm) (unread []notifications.Problem) {
	if v.From == "" && v.Until == "" {
		return nil
	}
	for field, text := range map[string]string{"quiet_from": v.From, "quiet_until": v.Until} {
		at, err := time.Parse("15:04", text)
		if err != nil {
			unread = append(unread, notifications.Problem{Field: field, Code: notifications.Invalid})
			continue
		}
		minutes := at.Hour()*60 + at.Minute()
		if field == "quiet_from" {
			v.Contact.Quiet.From = minutes
		} else {
			v.Contact.Quiet.Until = minutes
		}
	}
	return unread
}

func (p *escalationSetup) deleteContact(c *gin.Context) {
	contact, err := p.notifications.DeleteContact(c.Request.Context(), c.Param("id"))
	if err != nil {
		p.fail(c, err)
		return
	}
	p.flash(c, view.Flash{Key: "flash.deleted", Name: contact.Title})
	back(c, "/escalation")
}

// userEntered finds the person who was chosen by their id, or typed by login or name.
func (p *escalationSetup) userEntered(ctx context.Context, entered string) (id string, ok bool, err error) {
	entered = strings.TrimSpace(entered)
	users, err := p.people.Users(ctx)
	for _, u := range users {
		if u.ID == entered || strings.EqualFold(u.Login, entered) || strings.EqualFold((&view.Person{Login: u.Login, Name: u.Name}).Called(), entered) {
			return u.ID, true, nil
		}
	}
	return "", false, err
}
