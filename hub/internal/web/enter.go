package web

import (
	"errors"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/store"
)

// By what somebody has logged in, as a session remembers it.
const (
	byPassword = "password"
	byPasskey  = "passkey"
	byOIDC     = "oidc"
)

// enter begins a session and leads to where the person wanted to go.
func (p *Pages) enter(c *gin.Context, user store.User, by, to string) {
	if err := p.begin(c, user, by); errors.Is(err, errOutdated) {
		back(c, "/login")
		return
	} else if err != nil {
		p.fail(c, err)
		return
	}
	back(c, to)
}

// errOutdated is a login by what has been changed before it ended.
var errOutdated = errors.New("the password, the role or the second factor was changed during the login; log in again")

// begin begins a session; its token changes, so that a planted one is worth
// nothing.
func (p *Pages) begin(c *gin.Context, user store.User, by string) error {
	ctx := c.Request.Context()
	if err := p.renewSession(ctx); err != nil {
		return err
	}
	now := time.Now()
	session := store.UserSession{ID: store.NewID(), UserID: user.ID, CreatedAt: now, SeenAt: now, Address: c.ClientIP(), Agent: agentOf(c)}
	if by != byOIDC { // the sign-in service may have asked for nothing
		session.ProvedAt = now
	}
	if err := p.o.Store.CreateUserSession(ctx, session); err != nil {
		return err
	}
	if err := p.isCurrent(c, user, session.ID); err != nil {
		return err
	}
	p.sessions.Remove(ctx, sessionPending)
	p.sessions.Put(ctx, sessionID, session.ID)
	p.sessions.Put(ctx, sessionBy, by)
	p.o.Audit.Record(audit.With(ctx, audit.Actor{Kind: audit.KindPerson, Name: user.Login, Address: c.ClientIP()}), "person.login", personObject(user), "by", by)
	return p.keepDevice(c, user)
}

// isCurrent ends a session again whose person was changed between the check of what they
// showed and the session's first row: whoever changed a password has ended the sessions
// that there were, and this one was none of them yet.
func (p *Pages) isCurrent(c *gin.Context, user store.User, id string) error {
	now, err := p.o.Store.User(c.Request.Context(), user.ID)
	if err == nil && access.LoginDigest(now) == access.LoginDigest(user) {
		return nil
	}
	if err == nil || errors.Is(err, store.ErrNotFound) {
		err = errOutdated
	}
	return errors.Join(err, p.o.Store.EndUserSessions(c.Request.Context(), user.ID, id, ""))
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
