package web

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/channel"
	"github.com/evergrant/evergrant/hub/internal/escalation"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// escalationPage is how many escalations a page shows.
const escalationPage = 50

// registerEscalation are who is told, and how.
func (p *Pages) registerEscalation(see, operate, manage *gin.RouterGroup) {
	see.GET("/escalations", p.escalations)
	see.GET("/escalations/:id", p.escalation)
	operate.POST("/escalations/:id/acknowledge", p.acknowledge)
	manage.POST("/escalations/:id/end", p.endDrill)
	manage.POST("/deliveries/:id/resend", p.resend)
	manage.GET("/escalation", p.escalationSetup)
	manage.GET("/escalation/channels/new", p.channelKinds)
	manage.GET("/escalation/channels/new/:kind", p.newChannel)
	manage.POST("/escalation/channels/new/:kind", p.saveChannel)
	manage.GET("/escalation/channels/:id", p.editChannel)
	manage.POST("/escalation/channels/:id", p.saveChannel)
	manage.POST("/escalation/channels/:id/test", p.testChannel)
	manage.POST("/escalation/channels/:id/delete", p.deleteChannel)
	manage.GET("/escalation/contacts/new", p.contactForm)
	manage.POST("/escalation/contacts/new", p.saveContact)
	manage.GET("/escalation/contacts/:id", p.contactForm)
	manage.POST("/escalation/contacts/:id", p.saveContact)
	manage.POST("/escalation/contacts/:id/delete", p.deleteContact)
	manage.GET("/escalation/policies/new", p.policyForm)
	manage.POST("/escalation/policies/new", p.savePolicy)
	manage.GET("/escalation/policies/:id", p.policyForm)
	manage.POST("/escalation/policies/:id", p.savePolicy)
	manage.POST("/escalation/policies/:id/delete", p.deletePolicy)
	manage.GET("/escalation/texts", p.texts)
	manage.POST("/escalation/texts", p.saveTexts)
	manage.GET("/connections/:name/drill", p.drill)
	manage.POST("/connections/:name/drill", p.drill)
	manage.POST("/connections/:name/drill/start", p.startDrill)
	manage.POST("/connections/:name/owner", p.setOwner)
}

// names are the titles of contacts and channels, by id.
func (p *Pages) names(ctx context.Context) (map[string]string, error) {
	contacts, err := p.o.Store.Contacts(ctx)
	if err != nil {
		return nil, err
	}
	channels, err := p.o.Store.Channels(ctx)
	if err != nil {
		return nil, err
	}
	names := make(map[string]string, len(contacts)+len(channels))
	for _, c := range contacts {
		names[c.ID] = c.Title
	}
	for _, c := range channels {
		names[c.ID] = c.Title
	}
	return names, nil
}

func (p *Pages) escalations(c *gin.Context) {
	ctx := c.Request.Context()
	names, err := p.names(ctx)
	if err != nil {
		p.fail(c, err)
		return
	}
	f := store.EscalationFilter{Limit: escalationPage + 1}
	if before, err := strconv.ParseInt(c.Query("before"), 10, 64); err == nil {
		f.Before = time.UnixMilli(before)
	}
	list, err := p.o.Store.Escalations(ctx, f)
	if err != nil {
		p.fail(c, err)
		return
	}
	v := view.Escalations{Ready: len(names) > 1}
	if len(list) > escalationPage {
		list = list[:escalationPage]
		v.Next = "/escalations?before=" + strconv.FormatInt(list[escalationPage-1].OpenedAt.UnixMilli(), 10)
	}
	for _, e := range list {
		row, err := p.escalationRow(ctx, e)
		if err != nil {
			p.fail(c, err)
			return
		}
		if e.ClosedAt.IsZero() {
			v.Open = append(v.Open, row)
		} else {
			v.Over = append(v.Over, row)
		}
	}
	dead, err := p.o.Store.DeadDeliveries(ctx, 20)
	if err != nil {
		p.fail(c, err)
		return
	}
	for _, d := range dead {
		v.Dead = append(v.Dead, deliveryRow(d, names))
	}
	p.render(c, http.StatusOK, page.Escalations(p.shell(c, view.SectionEscalations), v))
}

// escalationRow tells an escalation in the words of pages.
func (p *Pages) escalationRow(ctx context.Context, e store.Escalation) (view.EscalationRow, error) {
	row := view.EscalationRow{
		ID: e.ID, Topic: escalation.TopicOf(e.Event), Affected: e.Affected, OpenedAt: e.OpenedAt, AcknowledgedAt: e.AcknowledgedAt,
		AcknowledgedBy: e.AcknowledgedBy, ClosedAt: e.ClosedAt, Drill: e.Drill,
	}
	if days, ok := strings.CutPrefix(string(e.Event), "person_needed_"); ok {
		row.Days, _ = strconv.Atoi(days) // the store has only ours
	}
	if e.ServiceID != "" {
		if s, err := p.o.Store.Service(ctx, e.ServiceID); err == nil {
			row.Service = s.Title
		}
	}
	for _, id := range e.Connections[:min(len(e.Connections), 5)] {
		if c, err := p.o.Store.Connection(ctx, id); err == nil {
			row.Connections = append(row.Connections, c.Name)
		}
	}
	deliveries, err := p.o.Store.Deliveries(ctx, e.ID)
	for _, d := range deliveries {
		switch d.State {
		case store.DeliverySent:
			row.Sent++
		case store.DeliveryDead:
			row.Dead++
		case store.DeliveryWaiting, store.DeliverySending:
			row.Waiting++
		}
	}
	return row, err
}

// linkRE finds what opens something in the text of a message: a page must not show it.
var linkRE = regexp.MustCompile(`/(grant|ack)/[A-Za-z0-9_-]{20,}`)

func deliveryRow(d store.Delivery, names map[string]string) view.DeliveryRow {
	row := view.DeliveryRow{
		ID: d.ID, EscalationID: d.EscalationID, Kind: d.Kind, State: d.State, Contact: names[d.Contact], Channel: names[d.Channel],
		DueAt: d.DueAt, SentAt: d.SentAt, Attempts: d.Attempts, Reason: d.Reason, Said: d.Said,
	}
	var m channel.Message
	if len(d.Message) > 0 && json.Unmarshal(d.Message, &m) == nil {
		row.Preview = linkRE.ReplaceAllString(m.Text, "/$1/…")
	}
	return row
}

func (p *Pages) escalation(c *gin.Context) {
	ctx := c.Request.Context()
	e, err := p.o.Store.Escalation(ctx, c.Param("id"))
	if err != nil {
		p.fail(c, err)
		return
	}
	names, err := p.names(ctx)
	if err != nil {
		p.fail(c, err)
		return
	}
	row, err := p.escalationRow(ctx, e)
	if err != nil {
		p.fail(c, err)
		return
	}
	v := view.EscalationPage{EscalationRow: row, PersonBy: e.PersonBy, Said: e.Message}
	deliveries, err := p.o.Store.Deliveries(ctx, e.ID)
	if err != nil {
		p.fail(c, err)
		return
	}
	for _, d := range deliveries {
		v.Deliveries = append(v.Deliveries, deliveryRow(d, names))
	}
	p.render(c, http.StatusOK, page.Escalation(p.shell(c, view.SectionEscalations), v))
}

func (p *Pages) endDrill(c *gin.Context) {
	id := c.Param("id")
	if err := p.o.Escalation.EndDrill(c.Request.Context(), id); err != nil {
		p.fail(c, err)
		return
	}
	p.flash(c, view.Flash{Key: "flash.drill_ended"})
	back(c, "/escalations/"+url.PathEscape(id))
}

// resend has a message tried again that was given up.
func (p *Pages) resend(c *gin.Context) {
	ctx := c.Request.Context()
	d, err := p.o.Store.Delivery(ctx, c.Param("id"))
	if err == nil {
		err = p.o.Store.ResendDelivery(ctx, d.ID, time.Now())
	}
	if err != nil {
		p.fail(c, err)
		return
	}
	p.o.Escalation.Wake()
	p.flash(c, view.Flash{Key: "flash.resent"})
	back(c, "/escalations/"+url.PathEscape(d.EscalationID))
}
