package web

import (
	"context"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// Keys of a session.
const (
	// sessionID is the id of the row of the login.
	sessionID = "session"
	// sessionBy is the means of the login.
	sessionBy = "by"
	// sessionPending is the person who has entered a password and not yet a code.
	sessionPending   = "pending"
	sessionPendingAt = "pending-at"
	sessionPendingTo = "pending-to"
	sessionPendingBy = "pending-by"
	// sessionPendingDigest is the digest of what the password was checked against.
	sessionPendingDigest = "pending-digest"
	sessionSecret        = "new-secret"
	sessionFlashKey      = "flash"
	sessionFlashName     = "flash-name"
	sessionFlashSaid     = "flash-said"
	sessionFlashBad      = "flash-bad"
)

const personKey = "person"

// user returns who is signed in; it is read once per request.
func (k *kit) user(c *gin.Context) (peopledb.User, bool) {
	if u, ok := person(c); ok {
		return u, true
	}
	id := k.sessions.GetString(c.Request.Context(), sessionID)
	if id == "" {
		return peopledb.User{}, false
	}
	u, session, err := k.people.Present(c.Request.Context(), id, k.idleSince())
	if err != nil {
		return peopledb.User{}, false // signed out elsewhere, not used for long, or disabled
	}
	if now := time.Now(); now.Sub(session.SeenAt) >= k.notedEvery() {
		if err := k.people.NoteUse(c.Request.Context(), id, c.ClientIP(), agentOf(c)); err != nil {
			k.logger.Warn("record session use failed", "error", err)
		}
	}
	c.Set(personKey, u)
	c.Set(provedKey, session.ProvedAt)
	return u, true
}

// agentOf returns the User-Agent, at most 300 bytes of it.
func agentOf(c *gin.Context) string {
	agent := c.GetHeader("User-Agent")
	return agent[:min(len(agent), 300)]
}

func person(c *gin.Context) (peopledb.User, bool) {
	v, _ := c.Get(personKey)
	u, ok := v.(peopledb.User)
	return u, ok
}

// known finds who is signed in, and puts the caller into the context of the request.
func (k *kit) known(c *gin.Context) (peopledb.User, bool) {
	u, ok := k.user(c)
	if ok {
		caller := act.Person(u, c.ClientIP(), agentOf(c))
		c.Request = c.Request.WithContext(view.WithRole(act.With(c.Request.Context(), caller), u.Role))
	}
	return u, ok
}

// visitor returns the context of acts on an open page, and whether a person is signed in. The
// act itself finds the link of a visitor who has one.
func (k *kit) visitor(c *gin.Context) (context.Context, bool) {
	_, in := k.known(c)
	if in {
		return c.Request.Context(), true
	}
	return act.With(c.Request.Context(), act.Link(audit.KindFront, "", c.ClientIP(), agentOf(c))), false
}

// stranger returns the context of acts before the person is known, such as a login.
func (k *kit) stranger(c *gin.Context) context.Context {
	return act.With(c.Request.Context(), act.Link(audit.KindPerson, "", c.ClientIP(), agentOf(c)))
}
