package web

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// drillEvents are what can be rehearsed.
var drillEvents = []policy.Event{policy.GrantEnded, policy.RenewalFailed, policy.OperatorNeeded, policy.PluginFailed, policy.PersonIn3}

func drillEvent(c *gin.Context) policy.Event {
	event := policy.Event(cmp.Or(c.PostForm("event"), c.Query("event")))
	if !slices.Contains(drillEvents, event) {
		return policy.GrantEnded
	}
	return event
}

// planDrill redirects to the page that shows who would be notified.
func (p *escalationPages) planDrill(c *gin.Context) {
	back(c, "/connections/"+url.PathEscape(c.Param("name"))+"/drill?"+url.Values{"event": {string(drillEvent(c))}}.Encode())
}

// drill shows who would be notified of a failure of a connection, and when.
func (p *escalationPages) drill(c *gin.Context) {
	conn, _, ok := p.connections.find(c)
	if !ok {
		return
	}
	ctx := c.Request.Context()
	v := view.DrillForm{Connection: conn.Name, Title: conn.Title, Event: drillEvent(c), Asked: c.Query("event") != ""}
	if v.Asked {
		t, err := p.told(ctx)
		if err != nil {
			p.fail(c, err)
			return
		}
		begun := time.Now()
		planned, err := p.escalates.Rehearse(ctx, v.Event, conn.ID)
		if err != nil {
			p.fail(c, err)
			return
		}
		for _, x := range planned {
			contact := t.contacts[x.Contact]
			v.Planned = append(v.Planned, view.DrillStep{
				Contact: contact.Title, Channel: t.channels[x.Channel].Title, After: x.At.Sub(begun).Round(time.Minute), Address: contact.On(x.Channel) != "",
			})
		}
	}
	p.render(c, http.StatusOK, page.Drill(p.shell(c, view.SectionConnections), v, drillEvents))
}

// startDrill sends the messages, marked as a drill.
func (p *escalationPages) startDrill(c *gin.Context) {
	conn, _, ok := p.connections.find(c)
	if !ok {
		return
	}
	id, err := p.notifications.StartDrill(c.Request.Context(), drillEvent(c), conn.ID)
	if err != nil {
		p.fail(c, err)
		return
	}
	p.flash(c, view.Flash{Key: "flash.drill_started"})
	back(c, "/escalations/"+url.PathEscape(id))
}
