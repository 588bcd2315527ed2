package web

import (
	"context"
	"slices"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/app/people"
	"github.com/evergrant/evergrant/hub/internal/audit"
)

// By what somebody has logged in, as a session remembers it.
const (
	byPasskey = people.ByPasskey
	byOIDC    = people.ByOIDC
)

// stranger is the context of acts of somebody who is not known yet, such as a login.
func (p *Pages) stranger(c *gin.Context) context.Context {
	return act.With(c.Request.Context(), act.Link(audit.KindPerson, "", c.ClientIP(), agentOf(c)))
}

// enter keeps a login in the browser's session, and leads to where the person wanted to go.
func (p *Pages) enter(c *gin.Context, in people.Entered, to string) {
	if err := p.begin(c, in); err != nil {
		p.fail(c, err)
		return
	}
	back(c, to)
}

// begin keeps a login in the browser's session, whose token changes, so that a planted one
// is worth nothing.
func (p *Pages) begin(c *gin.Context, in people.Entered) error {
	ctx := c.Request.Context()
	if err := p.renewSession(ctx); err != nil {
		return err
	}
	p.sessions.Remove(ctx, sessionPending)
	p.sessions.Put(ctx, sessionID, in.Session)
	p.sessions.Put(ctx, sessionBy, in.By)
	return p.keepDevice(c, in.User)
}

// unfactored are what a person may reach who still needs a second factor, beside what
// needs no session.
var unfactored = []string{"/logout", factorPage, proofPage, "/settings/passkeys/begin", "/settings/passkeys/finish", "/settings/passkeys/:id/remove"}

const factorPage = "/settings/second-factor"

// factored sends people to set up a second factor who need one and have none. The
// sign-in service and passkeys have asked for theirs.
func (p *Pages) factored(c *gin.Context) {
	if slices.Contains(unfactored, c.FullPath()) {
		return
	}
	lacks, err := p.lacksFactor(c)
	switch {
	case err != nil:
		p.fail(c, err)
		c.Abort()
	case lacks:
		back(c, factorPage)
		c.Abort()
	}
}

// lacksFactor reports whether the person of a request has to set up a second factor
// first. A session that does not know how it began was begun with a password.
func (p *Pages) lacksFactor(c *gin.Context) (bool, error) {
	switch p.sessions.GetString(c.Request.Context(), sessionBy) {
	case byPasskey, byOIDC:
		return false, nil
	}
	u, _ := person(c)
	return p.o.Access.LacksSecondFactor(c.Request.Context(), u)
}
