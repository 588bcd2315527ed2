package web

import (
	"errors"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/people"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// pendingLife is how long the code may follow the password.
const pendingLife = 5 * time.Minute

// askForCode notes in the session that the password was right, and redirects to the form for
// the code.
func (p *loginPages) askForCode(c *gin.Context, in people.Entered, to string) {
	ctx := c.Request.Context()
	if err := p.sessions.RenewToken(ctx); err != nil {
		p.fail(c, err)
		return
	}
	p.sessions.Put(ctx, sessionPending, in.User.ID)
	p.sessions.Put(ctx, sessionPendingDigest, access.LoginDigest(in.User))
	p.sessions.Put(ctx, sessionPendingAt, time.Now().Unix())
	p.sessions.Put(ctx, sessionPendingTo, localPath(to))
	p.sessions.Put(ctx, sessionPendingBy, in.By)
	back(c, "/login/code")
}

// pending returns the id of the person whose code is expected; "" for none, and after a change
// of their password, factor, role or right to log in.
func (p *loginPages) pending(c *gin.Context) string {
	ctx := c.Request.Context()
	if time.Since(time.Unix(p.sessions.GetInt64(ctx, sessionPendingAt), 0)) > pendingLife {
		return ""
	}
	id := p.sessions.GetString(ctx, sessionPending)
	if id == "" {
		return ""
	}
	if !p.people.Stands(ctx, id, p.sessions.GetString(ctx, sessionPendingDigest)) {
		p.sessions.Remove(ctx, sessionPending)
		return ""
	}
	return id
}

func (p *loginPages) codeForm(c *gin.Context) {
	if p.pending(c) == "" {
		back(c, "/login")
		return
	}
	p.render(c, http.StatusOK, page.LoginCode(p.shell(c, ""), view.LoginCode{}))
}

func (p *loginPages) loginCode(c *gin.Context) {
	id := p.pending(c)
	if id == "" {
		back(c, "/login")
		return
	}
	ctx := c.Request.Context()
	by, digest := p.sessions.GetString(ctx, sessionPendingBy), p.sessions.GetString(ctx, sessionPendingDigest)
	in, err := p.people.LoginCode(p.stranger(c), id, by, digest, c.PostForm("code"), devices(c)...)
	if wait, ok := tooMany(c, err); ok {
		p.render(c, http.StatusTooManyRequests, page.LoginCode(p.shell(c, ""), view.LoginCode{Wait: wait}))
		return
	}
	switch {
	case errors.Is(err, access.ErrWrongCode):
		p.render(c, http.StatusUnprocessableEntity, page.LoginCode(p.shell(c, ""), view.LoginCode{Wrong: true}))
	case errors.Is(err, people.ErrOutdated): // changed while the code was checked
		back(c, "/login")
	case err != nil:
		p.fail(c, err)
	default:
		p.sessions.Remove(ctx, sessionPendingBy)
		p.enter(c, in, p.sessions.GetString(ctx, sessionPendingTo))
	}
}
