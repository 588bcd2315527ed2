package web

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/escalation"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// acknowledge acknowledges an escalation for the signed-in person.
func (p *escalationPages) acknowledge(c *gin.Context) {
	u, _ := person(c)
	id := c.Param("id")
	if err := p.notifications.Acknowledge(c.Request.Context(), id, (&view.Person{Login: u.Login, Name: u.Name}).Called()); err != nil {
		p.fail(c, err)
		return
	}
	p.flash(c, view.Flash{Key: "flash.acknowledged"})
	back(c, "/escalations/"+url.PathEscape(id))
}

// ackPage is the page of the acknowledge link of a message. It changes nothing, because
// messengers open links for previews.
func (p *escalationPages) ackPage(c *gin.Context) { p.showAck(c, false) }

// ack acknowledges an escalation by the link of a message, and redirects to its page.
func (p *escalationPages) ack(c *gin.Context) { p.showAck(c, true) }

func (p *escalationPages) showAck(c *gin.Context, do bool) {
	ctx := c.Request.Context()
	e, contact, err := p.escalates.ByLink(ctx, c.Param("token"))
	if errors.Is(err, escalation.ErrLinkUnknown) {
		p.render(c, http.StatusGone, page.Ack(p.shell(c, ""), view.AckPage{Unknown: true}))
		return
	}
	if err == nil && do {
		err = p.notifications.AcknowledgeByLink(p.stranger(c), c.Param("token"))
	}
	if err != nil {
		p.fail(c, err)
		return
	}
	if do {
		back(c, "/ack/"+url.PathEscape(c.Param("token")))
		return
	}
	rows, err := p.toldOf(c, e)
	if err != nil {
		p.fail(c, err)
		return
	}
	p.render(c, http.StatusOK, page.Ack(p.shell(c, ""), view.AckPage{Row: rows[0], Contact: contact.Title, Action: "/ack/" + url.PathEscape(c.Param("token"))}))
}
