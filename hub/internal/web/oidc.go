package web

import (
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/people"
	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// Keys of a session for a login by the sign-in service that was begun.
const (
	sessionOIDCState    = "oidc-state"
	sessionOIDCNonce    = "oidc-nonce"
	sessionOIDCVerifier = "oidc-verifier"
	sessionOIDCTo       = "oidc-to"
	sessionOIDCFresh    = "oidc-fresh"
)

// oidcBegin sends the browser to the sign-in service.
func (p *loginPages) oidcBegin(c *gin.Context) {
	if p.oidc == nil {
		p.NotFound(c)
		return
	}
	ctx := c.Request.Context()
	if err := p.beginAsStranger(c); err != nil {
		if !p.tooBusy(c, err) {
			p.fail(c, err)
		}
		return
	}
	fresh := c.Query("fresh") != ""
	address, pending, err := p.oidc.Begin(ctx, fresh)
	if err != nil {
		p.oidcFailed(c, err)
		return
	}
	p.sessions.Put(ctx, sessionOIDCState, pending.State)
	p.sessions.Put(ctx, sessionOIDCNonce, pending.Nonce)
	p.sessions.Put(ctx, sessionOIDCVerifier, pending.Verifier)
	p.sessions.Put(ctx, sessionOIDCFresh, fresh)
	p.sessions.Put(ctx, sessionOIDCTo, localPath(c.Query("return_to")))
	c.Redirect(http.StatusSeeOther, address)
}

// oidcCallback finishes a login when the sign-in service redirects the browser back.
func (p *loginPages) oidcCallback(c *gin.Context) {
	if p.oidc == nil {
		p.NotFound(c)
		return
	}
	ctx := c.Request.Context()
	pending := access.OIDCPending{
		State: p.sessions.PopString(ctx, sessionOIDCState), Nonce: p.sessions.PopString(ctx, sessionOIDCNonce), Verifier: p.sessions.PopString(ctx, sessionOIDCVerifier),
	}
	to, fresh := p.sessions.PopString(ctx, sessionOIDCTo), p.sessions.PopBool(ctx, sessionOIDCFresh)
	in, who, err := p.people.LoginFederated(p.stranger(c), people.Federated{
		Answer: access.OIDCAnswer{Code: c.Query("code"), State: c.Query("state"), Issuer: c.Query("iss")}, Pending: pending,
		Fresh: fresh, Within: proofLife, Lang: i18n.Lang(ctx),
	})
	switch {
	case errors.Is(err, access.ErrOIDCRefused), errors.Is(err, access.ErrOIDCAway):
		p.oidcFailed(c, err)
	case errors.Is(err, access.ErrUnknownPerson):
		p.logger.Warn("federated login denied", "email", cut(who.Email, access.MaxLogin))
		v := view.Login{OIDCFailure: "unknown", Email: who.Email}
		if who.Email == "" {
			v.OIDCFailure = "unverified"
		}
		p.showLogin(c, http.StatusForbidden, v)
	case errors.Is(err, people.ErrOutdated):
		back(c, "/login")
	case err != nil:
		p.fail(c, err)
	case in.Session == "":
		p.askForCode(c, in, to)
	default:
		p.enter(c, in, to)
	}
}

// oidcFailed shows the login page with the reason.
func (p *loginPages) oidcFailed(c *gin.Context, err error) {
	p.logger.Warn("federated login failed", "error", cut(err.Error(), mostLogged))
	v, status := view.Login{OIDCFailure: "refused"}, http.StatusForbidden
	if errors.Is(err, access.ErrOIDCAway) {
		v.OIDCFailure, status = "away", http.StatusServiceUnavailable
	}
	p.showLogin(c, status, v)
}
