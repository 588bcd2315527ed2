package web

import (
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
	"github.com/evergrant/evergrant/sdk/provider"
)

func (p *Pages) settings(c *gin.Context) {
	p.forgetShown(c, shownRecovery)
	address, _ := takeShown[string](p, c, shownCalendar)
	p.showSettings(c, http.StatusOK, func(v *view.Settings) { v.CalendarURL = address })
}

// showSettings shows the settings; with says what is special about this time.
func (p *Pages) showSettings(c *gin.Context, status int, with func(*view.Settings)) {
	u, _ := person(c)
	hasCalendar, err := p.o.People.HasCalendar(c.Request.Context())
	if err != nil {
		p.fail(c, err)
		return
	}
	v := view.Settings{
		Login: u.Login, Name: u.Name, Lang: i18n.Lang(c.Request.Context()), Theme: p.theme(c),
		Zone:    i18n.From(c.Request.Context()).Zone.String(),
		HubName: p.o.Machine.Identity.Self().Name, Version: p.o.Version, Database: p.o.Overview.Dialect(), Address: p.o.PublicURL, HasCalendar: hasCalendar, SecondFactor: u.SecondFactor.On(),
		RecoveryLeft: len(u.SecondFactor.Recovery),
	}
	if v.Passkeys, err = p.passkeyList(c); err != nil {
		p.fail(c, err)
		return
	}
	sessions, err := p.o.People.Sessions(c.Request.Context(), u.ID)
	if err != nil {
		p.fail(c, err)
		return
	}
	present := p.sessions.GetString(c.Request.Context(), sessionID)
	for _, x := range sessions {
		v.Sessions = append(v.Sessions, view.Session{ID: x.ID, Agent: x.Agent, Address: x.Address, CreatedAt: x.CreatedAt, SeenAt: x.SeenAt, Present: x.ID == present})
	}
	with(&v)
	p.render(c, status, page.Settings(p.shell(c, view.SectionSettings), v))
}

func (p *Pages) changePassword(c *gin.Context) {
	ctx, next := c.Request.Context(), c.PostForm("next")
	problem := func(field string, text provider.Text) {
		p.showSettings(c, http.StatusUnprocessableEntity, func(v *view.Settings) { v.Problems = map[string]provider.Text{field: text} })
	}
	if next != c.PostForm("repeat") {
		problem("repeat", textDiffers)
		return
	}
	err := p.o.People.ChangePassword(ctx, p.sessions.GetString(ctx, sessionID), c.PostForm("present"), next)
	switch {
	case errors.Is(err, access.ErrWrongLogin):
		problem("present", textPresent)
	case errors.Is(err, access.ErrWeakPassword):
		problem("next", textWeak)
	case p.tooBusy(c, err):
	case err != nil:
		p.fail(c, err)
	default:
		if err := p.renewSession(ctx); err != nil {
			p.fail(c, err)
			return
		}
		p.flash(c, view.Flash{Key: "flash.password_changed"})
		back(c, "/settings")
	}
}
