package web

import (
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/overview"
	"github.com/evergrant/evergrant/hub/internal/app/people"
	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// settingsPages change what people sign in with, and end their sessions.
type settingsPages struct {
	*kit
	*passkeyExchange
	people   *people.People
	overview *overview.Overview
	oidc     *access.OIDC
	gate     *gate
	machine  Machine
	version  string
}

func newSettingsPages(k *kit, exchange *passkeyExchange, g *gate, o Options) *settingsPages {
	return &settingsPages{
		kit: k, passkeyExchange: exchange, people: o.People, overview: o.Overview, oidc: o.OIDC, gate: g, machine: o.Machine, version: o.Version,
	}
}

func (p *settingsPages) routes(in inside) {
	self := in.may(access.ActSelf)
	self.GET("/settings", p.settings)
	self.POST("/settings/password", p.changePassword)
	self.POST("/settings/sessions/:id/end", p.endSession)
	self.POST("/settings/sessions/end", p.endOtherSessions)
	self.GET(proofPage, p.proofForm)
	self.POST(proofPage, p.confirm)
	self.GET(factorPage, p.secondFactorForm)
	self.POST(factorPage, p.proven, p.confirmSecondFactor)
	self.POST("/settings/second-factor/drop", p.dropSecondFactor)
	self.POST("/settings/passkeys/begin", p.proven, p.beginPasskey)
	self.POST("/settings/passkeys/finish", p.proven, p.addPasskey)
	self.POST("/settings/passkeys/:id/remove", p.proven, p.removePasskey)
}

func (p *settingsPages) settings(c *gin.Context) {
	p.forgetShown(c, shownRecovery)
	address, _ := takeShown[string](p.kit, c, shownCalendar)
	p.showSettings(c, http.StatusOK, func(v *view.Settings) { v.CalendarURL = address })
}

// showSettings shows the settings; with changes the view.
func (p *settingsPages) showSettings(c *gin.Context, status int, with func(*view.Settings)) {
	u, _ := person(c)
	hasCalendar, err := p.people.HasCalendar(c.Request.Context())
	if err != nil {
		p.fail(c, err)
		return
	}
	v := view.Settings{
		Login: u.Login, Name: u.Name, Lang: i18n.Lang(c.Request.Context()), Theme: p.theme(c),
		Zone:    i18n.From(c.Request.Context()).Zone.String(),
		HubName: p.machine.Identity.Self().Name, Version: p.version, Database: p.overview.Dialect(), Address: p.publicURL, HasCalendar: hasCalendar, SecondFactor: u.SecondFactor.On(),
		RecoveryLeft: len(u.SecondFactor.Recovery),
	}
	if v.Passkeys, err = p.passkeyList(c); err != nil {
		p.fail(c, err)
		return
	}
	sessions, err := p.people.Sessions(c.Request.Context(), u.ID)
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

func (p *settingsPages) changePassword(c *gin.Context) {
	ctx, next := c.Request.Context(), c.PostForm("next")
	problem := func(field string, text i18n.Words) {
		p.showSettings(c, http.StatusUnprocessableEntity, func(v *view.Settings) { v.Problems = map[string]i18n.Words{field: text} })
	}
	if next != c.PostForm("repeat") {
		problem("repeat", textDiffers)
		return
	}
	err := p.people.ChangePassword(ctx, p.sessions.GetString(ctx, sessionID), c.PostForm("present"), next)
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

func (p *settingsPages) endSession(c *gin.Context) {
	if err := p.people.EndSession(c.Request.Context(), c.Param("id")); err != nil {
		p.fail(c, err)
		return
	}
	p.flash(c, view.Flash{Key: "flash.session_ended"})
	back(c, "/settings")
}

func (p *settingsPages) endOtherSessions(c *gin.Context) {
	ctx := c.Request.Context()
	if err := p.people.EndOtherSessions(ctx, p.sessions.GetString(ctx, sessionID)); err != nil {
		p.fail(c, err)
		return
	}
	p.flash(c, view.Flash{Key: "flash.sessions_ended"})
	back(c, "/settings")
}

func (p *settingsPages) beginPasskey(c *gin.Context) {
	u, _ := person(c)
	options, pending, err := p.passkeys.BeginAdd(c.Request.Context(), u)
	p.askBrowser(c, sessionPasskeyAdd, options, pending, err)
}

func (p *settingsPages) addPasskey(c *gin.Context) {
	pending, a, err := p.passkeyAnswered(c, sessionPasskeyAdd)
	var added peopledb.Passkey
	if err == nil {
		added, err = p.people.AddPasskey(c.Request.Context(), pending, a.Answer, a.Title)
	}
	if err != nil {
		p.passkeyProblem(c, err)
		return
	}
	p.flash(c, view.Flash{Key: "flash.passkey_added", Name: added.Title})
	c.JSON(http.StatusOK, gin.H{"to": p.base + "/settings"})
}

func (p *settingsPages) removePasskey(c *gin.Context) {
	removed, err := p.people.RemovePasskey(c.Request.Context(), c.Param("id"))
	if err != nil {
		p.fail(c, err)
		return
	}
	p.flash(c, view.Flash{Key: "flash.passkey_removed", Name: removed.Title})
	back(c, "/settings")
}

// passkeyList returns the passkeys of the signed-in person.
func (p *settingsPages) passkeyList(c *gin.Context) (view.Passkeys, error) {
	u, _ := person(c)
	v := p.passkeysHere()
	list, err := p.people.Passkeys(c.Request.Context(), u.ID)
	for _, k := range list {
		v.List = append(v.List, view.Passkey{ID: k.ID, Title: k.Title, CreatedAt: k.CreatedAt, LastUsedAt: k.LastUsedAt})
	}
	return v, err
}
