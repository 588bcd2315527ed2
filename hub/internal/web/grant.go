package web

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/app/grants"
	"github.com/evergrant/evergrant/hub/internal/authflow"
	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/randtoken"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
	"github.com/evergrant/evergrant/sdk/provider"
)

// linkCookie has the secret of the browser that uses a link.
const (
	linkCookie     = "evergrant_link"
	linkCookiePath = "/grant/"
	// beginCookie is the link that the authorization of a browser was begun by, so that
	// the page of a failure can link to it.
	beginCookie = "evergrant_begin"
)

// beginning is the link that an authorization of this browser was begun by; "" if it
// was not begun by one, or if the link is of no use any more.
func (p *grantPages) beginning(c *gin.Context) string {
	token := p.cookie(c, beginCookie)
	if token == "" {
		return ""
	}
	if _, err := p.grants.Link(c.Request.Context(), token); err != nil {
		return ""
	}
	return "/grant/" + url.PathEscape(token)
}

// makeLink creates a link for a person without an account and shows it once.
func (p *grantPages) makeLink(c *gin.Context) {
	u, _ := person(c)
	name := c.Param("name")
	token, expires, err := p.grants.MakeLink(c.Request.Context(), name, (&view.Person{Login: u.Login, Name: u.Name}).Called())
	if err != nil {
		p.fail(c, err)
		return
	}
	if err := p.show(c, shownLink, madeLink{Connection: name, Link: p.publicURL + "/grant/" + token, Until: expires}); err != nil {
		p.fail(c, err)
		return
	}
	back(c, "/connections/"+url.PathEscape(name))
}

// madeLink is a link that was just made, for the page that shows it.
type madeLink struct {
	Connection, Link string
	Until            time.Time
}

// grantPage shows the recipient of a link which access is requested.
func (p *grantPages) grantPage(c *gin.Context) {
	if taken, ok := toShow[takenByLink](p.kit, c, shownTaken); ok && taken.Token == randtoken.Hash(c.Param("token")) {
		p.render(c, http.StatusOK, page.Result(p.shell(c, ""), view.Result{Service: &taken.Service, Connection: taken.Connection}))
		return
	}
	linked, err := p.grants.Link(c.Request.Context(), c.Param("token"))
	if err != nil {
		p.refuseLink(c, err)
		return
	}
	p.render(c, http.StatusOK, page.Grant(p.shell(c, ""), p.grantView(c, linked)))
}

func (p *grantPages) grantView(c *gin.Context, linked *authflow.Linked) view.Grant {
	v := view.Grant{
		Service: p.serviceRef(linked.Service), Connection: linked.Connection.Title, By: linked.Link.CreatedBy, Until: linked.Link.ExpiresAt,
		Rights: view.RightsOf(linked.Service, linked.Connection.ScopesToAsk(linked.Service.Scopes)), Action: "/grant/" + url.PathEscape(c.Param("token")),
	}
	if d := linked.Service.Description; d != nil {
		v.Provider = view.ProviderOf(*d, p.iconOf(linked.Service.Provider), i18n.Lang(c.Request.Context()))
	}
	v.ByDevice = linked.Connection.Grant == provider.GrantDevice
	if d := linked.Service.Description; d != nil {
		if entry := view.GrantEntryOf(d, linked.Connection.Grant); entry.Asks() {
			v.Entry = entry
		}
	}
	return v
}

// takenByLink is what was entered by a link and taken, for the page that says so.
type takenByLink struct {
	// Token is the hash of the link's.
	Token      string
	Service    view.ServiceRef
	Connection string
}

// enterByLink takes the login or the key that the holder of a link enters. False if the
// link is for an authorization in a browser.
func (p *grantPages) enterByLink(c *gin.Context) bool {
	ctx, _ := p.visitor(c)
	linked, err := p.grants.Link(ctx, c.Param("token"))
	if err != nil {
		p.refuseLink(c, err)
		return true
	}
	v := p.grantView(c, linked)
	if v.Entry.Grant == "" {
		return false
	}
	read := readGrantEntry(c, &v.Entry)
	if err = read.problem; err == nil {
		_, _, err = p.grants.ObtainByLink(ctx, c.Param("token"), read.Entered)
	}
	ref := p.serviceRef(linked.Service)
	failure, failed := errors.AsType[*authflow.Failure](err)
	problems := problemsOf(err)
	switch {
	case err == nil:
		if err := p.show(c, shownTaken, takenByLink{Token: randtoken.Hash(c.Param("token")), Service: ref, Connection: linked.Connection.Title}); err != nil {
			p.fail(c, err)
			return true
		}
		back(c, "/grant/"+url.PathEscape(c.Param("token")))
	case problems != nil:
		v.Entry.Fields.Problems = prefixed(problems, v.Entry.Fields.Prefix)
		p.render(c, http.StatusUnprocessableEntity, page.Grant(p.shell(c, ""), v))
	case failed:
		result := p.resultOf(c, failure)
		v.Result = &result
		p.render(c, http.StatusUnprocessableEntity, page.Grant(p.shell(c, ""), v))
	default:
		p.refuseLink(c, err)
	}
	return true
}

// refuseLink shows why a link is not valid.
func (k *kit) refuseLink(c *gin.Context, err error) {
	switch {
	case errors.Is(err, authflow.ErrLinkSpent):
		k.render(c, http.StatusGone, page.Grant(k.shell(c, ""), view.Grant{Refused: "spent"}))
	case errors.Is(err, authflow.ErrLinkTaken):
		k.render(c, http.StatusForbidden, page.Grant(k.shell(c, ""), view.Grant{Refused: "taken"}))
	default:
		k.fail(c, err)
	}
}

// follow begins the authorization of a link.
func (p *grantPages) follow(c *gin.Context) {
	if p.enterByLink(c) {
		return
	}
	// The link is bound to its own secret, which the callback takes as well.
	browser := p.cookie(c, linkCookie)
	if len(browser) != browserSecretSize {
		browser = browserOf(c)
	}
	ctx, _ := p.visitor(c)
	if linked, err := p.grants.Link(ctx, c.Param("token")); err == nil && linked.Connection.Grant == provider.GrantDevice {
		p.followToDevice(ctx, c, browser)
		return
	}
	linked, d, err := p.grants.Follow(ctx, c.Param("token"), grants.Way{Browser: browser, Lang: i18n.Lang(ctx)})
	if cause, is := errors.AsType[*provider.Error](err); is {
		v := p.grantView(c, linked)
		v.Trouble = view.TroubleOf(cause)
		p.render(c, http.StatusBadGateway, page.Grant(p.shell(c, ""), v))
		return
	}
	if err != nil {
		p.refuseLink(c, err)
		return
	}
	p.setCookie(c, linkCookie, browser, linkCookiePath, browserCookieLife)
	if browser == browserOf(c) || len(browsers(c.Request)) == 0 {
		p.setCookie(c, browserCookie, browser, browserCookiePath, browserCookieLife)
	} else {
		p.setCookie(c, browserCookie+"_link", browser, browserCookiePath, browserCookieLife)
	}
	p.setCookie(c, beginCookie, c.Param("token"), browserCookiePath, browserCookieLife)
	p.sendAway(c, view.Departure{
		Service: p.serviceRef(linked.Service), Connection: linked.Connection.Title, URL: d.URL, Back: "/grant/" + url.PathEscape(c.Param("token")),
		Others: d.Rivals,
	})
}
