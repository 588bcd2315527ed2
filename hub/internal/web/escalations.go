package web

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/notifications"
	"github.com/evergrant/evergrant/hub/internal/channel"
	"github.com/evergrant/evergrant/hub/internal/escalation"
	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// escalationPages show escalations, acknowledge them and run drills.
type escalationPages struct {
	*kit
	*directory
	notifications *notifications.Notifications
	escalates     *escalation.Escalation
	connections   *connectionPages
}

func newEscalationPages(k *kit, d *directory, conns *connectionPages, o Options) *escalationPages {
	return &escalationPages{kit: k, directory: d, notifications: o.Notifications, escalates: o.Escalation, connections: conns}
}

func (p *escalationPages) open(in *gin.RouterGroup) {
	in.GET("/ack/:token", p.ackPage)
	in.POST("/ack/:token", p.ack)
}

func (p *escalationPages) routes(in inside) {
	see, operate, manage := in.may(access.ActSee), in.may(access.ActOperate), in.may(access.ActManage)
	see.GET("/escalations", p.list)
	see.GET("/escalations/:id", p.escalation)
	operate.POST("/escalations/:id/acknowledge", p.acknowledge)
	manage.POST("/escalations/:id/end", p.endDrill)
	manage.POST("/deliveries/:id/resend", p.resend)
	manage.GET("/connections/:name/drill", p.drill)
	manage.POST("/connections/:name/drill", p.planDrill)
	manage.POST("/connections/:name/drill/start", p.startDrill)
}

// openEscalations are shown at most, and escalationPage of those that are over.
const (
	openEscalations = 200
	escalationPage  = 50
)

// told are the contacts and channels by id.
type told struct {
	contacts map[string]policy.Contact
	channels map[string]noticedb.Channel
}

func (p *escalationPages) told(ctx context.Context) (told, error) {
	contacts, err := p.notifications.Contacts(ctx)
	if err != nil {
		return told{}, err
	}
	channels, err := p.notifications.Channels(ctx)
	if err != nil {
		return told{}, err
	}
	t := told{contacts: make(map[string]policy.Contact, len(contacts)), channels: make(map[string]noticedb.Channel, len(channels))}
	for _, c := range contacts {
		t.contacts[c.ID] = c
	}
	for _, c := range channels {
		t.channels[c.ID] = c
	}
	return t, nil
}

// escalations shows every trouble that is not over, and a page of those that are.
func (p *escalationPages) list(c *gin.Context) {
	ctx := c.Request.Context()
	t, err := p.told(ctx)
	if err != nil {
		p.fail(c, err)
		return
	}
	over := noticedb.EscalationFilter{Over: true, Before: c.Query("before"), Limit: escalationPage + 1}
	v := view.Escalations{Ready: len(t.contacts) > 0 && len(t.channels) > 0}
	if v.Over, err = p.escalationRows(c, over); err != nil {
		p.fail(c, err)
		return
	}
	if len(v.Over) > escalationPage {
		v.Over = v.Over[:escalationPage]
		v.Next = "/escalations?before=" + v.Over[escalationPage-1].ID
	}
	if v.Open, err = p.escalationRows(c, noticedb.EscalationFilter{Open: true, Limit: openEscalations}); err != nil {
		p.fail(c, err)
		return
	}
	dead, err := p.notifications.DeadDeliveries(ctx, 20)
	if err != nil {
		p.fail(c, err)
		return
	}
	for _, d := range dead {
		v.Dead = append(v.Dead, deliveryRow(d, t))
	}
	p.render(c, http.StatusOK, page.Escalations(p.shell(c, view.SectionEscalations), v))
}

func (p *escalationPages) escalationRows(c *gin.Context, f noticedb.EscalationFilter) ([]view.EscalationRow, error) {
	list, err := p.notifications.Escalations(c.Request.Context(), f)
	if err != nil {
		return nil, err
	}
	return p.toldOf(c, list...)
}

// namedAffected is how many of the affected connections a row names.
const namedAffected = 5

// toldOf converts escalations into what pages show.
func (p *escalationPages) toldOf(c *gin.Context, list ...noticedb.Escalation) ([]view.EscalationRow, error) {
	ctx := c.Request.Context()
	ids := make([]string, 0, len(list))
	var affected []string
	for _, e := range list {
		ids = append(ids, e.ID)
		affected = append(affected, e.Connections[:min(len(e.Connections), namedAffected)]...)
	}
	states, err := p.notifications.Sent(ctx, ids)
	if err != nil {
		return nil, err
	}
	names, err := p.notifications.Affected(ctx, affected)
	if err != nil {
		return nil, err
	}
	services, err := p.serviceRefs(c)
	if err != nil {
		return nil, err
	}
	rows := make([]view.EscalationRow, 0, len(list))
	for _, e := range list {
		sent := states[e.ID]
		row := view.EscalationRow{
			ID: e.ID, Topic: escalation.TopicOf(e.Event), Affected: e.Affected, OpenedAt: e.OpenedAt, AcknowledgedAt: e.AcknowledgedAt,
			AcknowledgedBy: e.AcknowledgedBy, ClosedAt: e.ClosedAt, Drill: e.Drill, Service: services[e.ServiceID].Title,
			Sent: sent[noticedb.DeliverySent], Dead: sent[noticedb.DeliveryDead], Waiting: sent[noticedb.DeliveryWaiting] + sent[noticedb.DeliverySending],
		}
		if days, ok := strings.CutPrefix(string(e.Event), "person_needed_"); ok {
			row.Days, _ = strconv.Atoi(days) // the store has only ours
		}
		for _, id := range e.Connections[:min(len(e.Connections), namedAffected)] {
			if name, ok := names[id]; ok {
				row.Connections = append(row.Connections, name)
			}
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// linkRE matches links in the text of a message: they open something, so no page may show them.
var linkRE = regexp.MustCompile(`/(grant|ack)/[A-Za-z0-9_-]{20,}`)

func deliveryRow(d noticedb.Delivery, t told) view.DeliveryRow {
	row := view.DeliveryRow{
		ID: d.ID, EscalationID: d.EscalationID, Kind: d.Kind, State: d.State, Contact: t.contacts[d.Contact].Title, Channel: t.channels[d.Channel].Title,
		DueAt: d.DueAt, SentAt: d.SentAt, Attempts: d.Attempts, Reason: d.Reason, Said: d.Said,
	}
	var m channel.Message
	if len(d.Message) > 0 && json.Unmarshal(d.Message, &m) == nil {
		row.Preview = linkRE.ReplaceAllString(m.Text, "/$1/…")
	}
	return row
}

func (p *escalationPages) escalation(c *gin.Context) {
	ctx := c.Request.Context()
	e, err := p.notifications.Escalation(ctx, c.Param("id"))
	if err != nil {
		p.fail(c, err)
		return
	}
	t, err := p.told(ctx)
	if err != nil {
		p.fail(c, err)
		return
	}
	rows, err := p.toldOf(c, e)
	if err != nil {
		p.fail(c, err)
		return
	}
	v := view.EscalationPage{EscalationRow: rows[0], PersonBy: e.PersonBy, Said: e.Message}
	deliveries, err := p.notifications.Deliveries(ctx, e.ID)
	if err != nil {
		p.fail(c, err)
		return
	}
	for _, d := range deliveries {
		v.Deliveries = append(v.Deliveries, deliveryRow(d, t))
	}
	p.render(c, http.StatusOK, page.Escalation(p.shell(c, view.SectionEscalations), v))
}

func (p *escalationPages) endDrill(c *gin.Context) {
	id := c.Param("id")
	if err := p.notifications.EndDrill(c.Request.Context(), id); err != nil {
		p.fail(c, err)
		return
	}
	p.flash(c, view.Flash{Key: "flash.drill_ended"})
	back(c, "/escalations/"+url.PathEscape(id))
}

// resend retries a message that was given up.
func (p *escalationPages) resend(c *gin.Context) {
	escalationID, err := p.notifications.Resend(c.Request.Context(), c.Param("id"))
	if err != nil {
		p.fail(c, err)
		return
	}
	p.flash(c, view.Flash{Key: "flash.resent"})
	back(c, "/escalations/"+url.PathEscape(escalationID))
}
