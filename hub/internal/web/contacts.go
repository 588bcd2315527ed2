package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/channel"
	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/web/i18n"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
	"github.com/evergrant/evergrant/sdk/provider"
)

func (p *Pages) contactForm(c *gin.Context) {
	ctx := c.Request.Context()
	v := view.ContactForm{Contact: policy.Contact{Lang: i18n.Lang(ctx), Zone: i18n.From(ctx).Zone.String()}}
	if id := c.Param("id"); id != "" {
		var err error
		if v.Contact, err = p.o.Store.Contact(ctx, id); err != nil {
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

func (p *Pages) showContact(c *gin.Context, status int, v view.ContactForm) {
	if err := p.contactChoices(c.Request.Context(), &v); err != nil {
		p.fail(c, err)
		return
	}
	p.render(c, status, page.ContactForm(p.shell(c, view.SectionEscalations), v))
}

func (p *Pages) contactChoices(ctx context.Context, v *view.ContactForm) error {
	users, err := p.o.Store.Users(ctx)
	if err != nil {
		return err
	}
	for _, u := range users {
		v.Users = append(v.Users, view.Member{ID: u.ID, Login: u.Login, Name: u.Name})
	}
	v.Channels, err = p.o.Store.Channels(ctx)
	return err
}

// saveContact adds a contact or changes one.
func (p *Pages) saveContact(c *gin.Context) {
	ctx := c.Request.Context()
	v := view.ContactForm{Problems: map[string]provider.Text{}, From: strings.TrimSpace(c.PostForm("quiet_from")), Until: strings.TrimSpace(c.PostForm("quiet_until"))}
	v.Contact = policy.Contact{
		ID: c.Param("id"), Title: strings.TrimSpace(c.PostForm("title")), UserID: c.PostForm("user"), Lang: c.PostForm("lang"),
		Zone: strings.TrimSpace(c.PostForm("zone")), TakesRest: ticked(c, "takes_rest"),
	}
	if v.Contact.ID == "" {
		v.Contact.ID = store.NewID()
	} else if _, err := p.o.Store.Contact(ctx, v.Contact.ID); err != nil {
		p.fail(c, err)
		return
	}
	if entered := v.Contact.UserID; entered != "" {
		id, there, err := p.userEntered(ctx, entered)
		if err != nil {
			p.fail(c, err)
			return
		}
		if v.Contact.UserID = id; !there {
			v.Contact.UserID, v.Problems["user"] = entered, textNoPerson
		}
	}
	channels, err := p.o.Store.Channels(ctx)
	if err != nil {
		p.fail(c, err)
		return
	}
	for _, x := range channels {
		to := strings.TrimSpace(c.PostForm("address." + x.ID))
		if to == "" {
			continue
		}
		if err := channel.CheckAddress(channel.Kind(x.Kind), to); err != nil {
			v.Problems["address."+x.ID] = textAddress
		}
		v.Contact.Addresses = append(v.Contact.Addresses, policy.Address{Channel: x.ID, To: to})
	}
	first(v.Contact.Addresses, c.PostForm("first"))
	checkContact(&v)
	if len(v.Problems) == 0 {
		err := p.o.Store.SaveContact(ctx, v.Contact, time.Now())
		if errors.Is(err, store.ErrNameTaken) {
			v.Problems["title"] = textTitleTaken
		} else if err != nil {
			p.fail(c, err)
			return
		}
	}
	if len(v.Problems) > 0 {
		p.showContact(c, http.StatusUnprocessableEntity, v)
		return
	}
	p.o.Audit.Record(ctx, "contact.save", audit.Object{Kind: "contact", Name: v.Contact.Title})
	p.flash(c, view.Flash{Key: "flash.contact_saved", Name: v.Contact.Title})
	back(c, "/escalation")
}

// first puts the address of a channel before the others: it is used where no policy
// says by which way.
func first(addresses []policy.Address, channelID string) {
	for i := range addresses {
		if addresses[i].Channel == channelID {
			addresses[0], addresses[i] = addresses[i], addresses[0]
		}
	}
}

// checkContact finds what is wrong with what was entered.
func checkContact(v *view.ContactForm) {
	if v.Contact.Title == "" {
		v.Problems["title"] = textTitle
	}
	if v.Contact.Lang != "ru" {
		v.Contact.Lang = "en"
	}
	if _, err := time.LoadLocation(v.Contact.Zone); err != nil || v.Contact.Zone == "" {
		v.Problems["zone"] = textZone
	}
	if v.From == "" && v.Until == "" {
		return
	}
	for field, text := range map[string]string{"quiet_from": v.From, "quiet_until": v.Until} {
		at, err := time.Parse("15:04", text)
		if err != nil {
			v.Problems[field] = textClock
			continue
		}
		minutes := at.Hour()*60 + at.Minute()
		if field == "quiet_from" {
			v.Contact.Quiet.From = minutes
		} else {
			v.Contact.Quiet.Until = minutes
		}
	}
}

func (p *Pages) deleteContact(c *gin.Context) {
	ctx := c.Request.Context()
	contact, err := p.o.Store.Contact(ctx, c.Param("id"))
	if err == nil {
		err = p.o.Store.DeleteContact(ctx, contact.ID)
	}
	if err != nil {
		p.fail(c, err)
		return
	}
	p.o.Audit.Record(ctx, "contact.delete", audit.Object{Kind: "contact", Name: contact.Title})
	p.flash(c, view.Flash{Key: "flash.deleted", Name: contact.Title})
	back(c, "/escalation")
}
