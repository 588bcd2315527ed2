package web

import (
	"net/http"
	"net/url"
	"slices"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/people"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// gate admits requests to the routes of people who are signed in.
type gate struct {
	*kit
	access *access.Access
	people *people.People
	front  *frontDoor
}

func newGate(k *kit, front *frontDoor, o Options) *gate {
	return &gate{kit: k, access: o.Access, people: o.People, front: front}
}

// inside is the group of routes of people who are signed in.
type inside struct {
	group *gin.RouterGroup
	gate  *gate
}

// inside returns the group that an area registers its routes in.
func (g *gate) inside(router *gin.Engine) inside {
	return inside{group: router.Group("", g.watchForms, g.speak, g.signedIn, g.factored, g.forgetCounts), gate: g}
}

// may returns the group of the routes that need an act to be allowed.
func (in inside) may(act access.Act) *gin.RouterGroup { return in.group.Group("", in.gate.may(act)) }

// signedIn redirects visitors who are not signed in to the login, which returns to the page.
func (g *gate) signedIn(c *gin.Context) {
	if _, ok := g.known(c); ok {
		return
	}
	c.Abort()
	if g.front.frontInstead(c) {
		return
	}
	query := url.Values{}
	if to := g.pageOf(c.Request); to != "/" {
		query.Set("return_to", to)
	}
	if c.Request.Method != http.MethodGet {
		query.Set("ended", "1") // the browser keeps what was entered: evergrant.js
	}
	target := "/login"
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	if c.GetHeader("HX-Request") != "" && c.Request.Method == http.MethodGet && slices.Contains(polled, c.FullPath()) {
		c.Status(http.StatusNoContent) // the page may have a form that is being filled in
		return
	}
	if c.GetHeader("HX-Request") != "" { // a part of a page must not become the login page
		c.Header("HX-Redirect", localPath(target))
		c.Status(http.StatusUnauthorized)
		return
	}
	back(c, target)
}

// polled are the pages that reload a part of themselves at intervals.
var polled = []string{"/connections/:name", "/bulk/:id"}

// may admits people whose role allows an act; others are shown the reason.
func (g *gate) may(act access.Act) gin.HandlerFunc {
	return func(c *gin.Context) {
		u, ok := person(c)
		if ok && access.May(u.Role, act) {
			return
		}
		if ok && c.Request.Method == http.MethodPost {
			g.people.TurnedAway(c.Request.Context(), c.FullPath())
		}
		g.render(c, http.StatusForbidden, page.Failure(g.shell(c, ""), view.Failure{Status: http.StatusForbidden, Role: true}))
		c.Abort()
	}
}

// unfactored are what a person may reach who still needs a second factor, beside what
// needs no session.
var unfactored = []string{"/logout", factorPage, proofPage, "/settings/passkeys/begin", "/settings/passkeys/finish", "/settings/passkeys/:id/remove"}

const factorPage = "/settings/second-factor"

// factored redirects people who need a second factor and have none to its set-up. Logins by
// the sign-in service and by passkey are exempt: they have a second factor of their own.
func (g *gate) factored(c *gin.Context) {
	if slices.Contains(unfactored, c.FullPath()) {
		return
	}
	lacks, err := g.lacksFactor(c)
	switch {
	case err != nil:
		g.fail(c, err)
		c.Abort()
	case lacks:
		back(c, factorPage)
		c.Abort()
	}
}

// lacksFactor reports whether the person of a request has to set up a second factor
// first. A session without a stored means of login was begun with a password.
func (g *gate) lacksFactor(c *gin.Context) (bool, error) {
	switch g.sessions.GetString(c.Request.Context(), sessionBy) {
	case byPasskey, byOIDC:
		return false, nil
	}
	u, _ := person(c)
	return g.access.LacksSecondFactor(c.Request.Context(), u)
}

// forgetCounts discards the cached counts after every form.
func (g *gate) forgetCounts(c *gin.Context) {
	c.Next()
	if c.Request.Method == http.MethodPost {
		g.counted.forget()
	}
}
