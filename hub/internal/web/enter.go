package web

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/people"
)

// loginPages sign people in: by password and code, passkey, the sign-in service, and at the
// set-up or an invitation, which create the account.
type loginPages struct {
	*kit
	*passkeyExchange
	access *access.Access
	people *people.People
	oidc   *access.OIDC
	front  *frontDoor
}

func newLoginPages(k *kit, exchange *passkeyExchange, front *frontDoor, o Options) *loginPages {
	return &loginPages{kit: k, passkeyExchange: exchange, access: o.Access, people: o.People, oidc: o.OIDC, front: front}
}

func (p *loginPages) open(in *gin.RouterGroup) {
	in.GET("/setup", p.setupForm)
	in.POST("/setup", p.setup)
	in.GET("/login", p.loginForm)
	in.POST("/login", p.login)
	in.GET("/login/oidc", p.oidcBegin)
	in.GET("/login/oidc/callback", p.oidcCallback)
	in.POST("/login/passkey/begin", p.beginPasskeyLogin)
	in.POST("/login/passkey/finish", p.passkeyLogin)
	in.GET("/login/code", p.codeForm)
	in.POST("/login/code", p.loginCode)
	in.GET("/invite", p.inviteForm)
	in.POST("/invite", p.acceptInvite)
	in.POST("/preferences", p.preferences)
}

func (p *loginPages) routes(in inside) { in.may(access.ActSelf).POST("/logout", p.logout) }

// The means of a login, as stored in a session.
const (
	byPasskey = people.ByPasskey
	byOIDC    = people.ByOIDC
)

// enter stores a login in the browser's session, and redirects to the page that was requested.
func (p *loginPages) enter(c *gin.Context, in people.Entered, to string) {
	if err := p.begin(c, in); err != nil {
		p.fail(c, err)
		return
	}
	back(c, to)
}

// begin stores a login in the browser's session. The session's token changes, which prevents
// session fixation.
func (p *loginPages) begin(c *gin.Context, in people.Entered) error {
	ctx := c.Request.Context()
	if err := p.renewSession(ctx); err != nil {
		return err
	}
	p.sessions.Remove(ctx, sessionPending)
	p.sessions.Put(ctx, sessionID, in.Session)
	p.sessions.Put(ctx, sessionBy, in.By)
	return p.keepDevice(c, in.User)
}

func (p *loginPages) beginPasskeyLogin(c *gin.Context) {
	options, pending, err := p.passkeys.BeginLogin(c.Request.Context(), c.ClientIP(), devices(c)...)
	if err == nil {
		err = p.beginAsStranger(c)
	}
	p.askBrowser(c, sessionPasskeyLogin, options, pending, err)
}

func (p *loginPages) passkeyLogin(c *gin.Context) {
	pending, a, err := p.passkeyAnswered(c, sessionPasskeyLogin)
	var in people.Entered
	if err == nil {
		in, err = p.people.LoginPasskey(p.stranger(c), pending, a.Answer, devices(c)...)
	}
	if err == nil {
		err = p.begin(c, in)
	}
	if err != nil {
		p.passkeyProblem(c, err)
		return
	}
	c.JSON(http.StatusOK, gin.H{"to": p.base + localPath(a.ReturnTo)})
}
