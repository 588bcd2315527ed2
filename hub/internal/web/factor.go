package web

import (
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"rsc.io/qr"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
	"github.com/evergrant/evergrant/sdk/provider"
)

// pendingLife is how long a password counts without its code.
const pendingLife = 5 * time.Minute

// askForCode remembers that the password was right and asks for the code.
func (p *Pages) askForCode(c *gin.Context, u store.User, by, to string) {
	ctx := c.Request.Context()
	if err := p.sessions.RenewToken(ctx); err != nil {
		p.fail(c, err)
		return
	}
	p.sessions.Put(ctx, sessionPending, u.ID)
	p.sessions.Put(ctx, sessionPendingDigest, access.LoginDigest(u))
	p.sessions.Put(ctx, sessionPendingAt, time.Now().Unix())
	p.sessions.Put(ctx, sessionPendingTo, localPath(to))
	p.sessions.Put(ctx, sessionPendingBy, by)
	back(c, "/login/code")
}

// pending is whose code is waited for; "" for nobody, and for somebody whose password,
// factor, role or right to log in has changed since the password was shown.
func (p *Pages) pending(c *gin.Context) string {
	ctx := c.Request.Context()
	if time.Since(time.Unix(p.sessions.GetInt64(ctx, sessionPendingAt), 0)) > pendingLife {
		return ""
	}
	id := p.sessions.GetString(ctx, sessionPending)
	if id == "" {
		return ""
	}
	u, err := p.o.Store.User(ctx, id)
	if err != nil || !p.stands(c, u) {
		p.sessions.Remove(ctx, sessionPending)
		return ""
	}
	return id
}

// stands reports whether a person is who has shown the password.
func (p *Pages) stands(c *gin.Context, u store.User) bool {
	return access.LoginDigest(u) == p.sessions.GetString(c.Request.Context(), sessionPendingDigest)
}

func (p *Pages) codeForm(c *gin.Context) {
	if p.pending(c) == "" {
		back(c, "/login")
		return
	}
	p.render(c, http.StatusOK, page.LoginCode(p.shell(c, ""), view.LoginCode{}))
}

func (p *Pages) loginCode(c *gin.Context) {
	id := p.pending(c)
	if id == "" {
		back(c, "/login")
		return
	}
	u, err := p.o.Access.SecondLogin(c.Request.Context(), id, c.PostForm("code"), c.ClientIP(), devices(c)...)
	if wait, ok := tooMany(c, err); ok {
		p.render(c, http.StatusTooManyRequests, page.LoginCode(p.shell(c, ""), view.LoginCode{Wait: wait}))
		return
	}
	switch {
	case errors.Is(err, access.ErrWrongCode):
		p.render(c, http.StatusUnprocessableEntity, page.LoginCode(p.shell(c, ""), view.LoginCode{Wrong: true}))
	case err != nil:
		p.fail(c, err)
	case !p.stands(c, u): // changed while the code was checked
		back(c, "/login")
	default:
		ctx := c.Request.Context()
		p.enter(c, u, p.sessions.PopString(ctx, sessionPendingBy), p.sessions.GetString(ctx, sessionPendingTo))
	}
}

// secondFactorForm makes a secret that counts once a code of it was shown.
func (p *Pages) secondFactorForm(c *gin.Context) {
	u, _ := person(c)
	if recovery, ok := toShow[[]string](p, c, shownRecovery); ok {
		p.render(c, http.StatusOK, page.SecondFactor(p.shell(c, view.SectionSettings), view.SecondFactor{Recovery: recovery}))
		return
	}
	if !p.needProof(c) { // now, and not when the code of a new secret is there
		return
	}
	secret, _ := access.NewSecondFactor(u.Login)
	p.sessions.Put(c.Request.Context(), sessionSecret, hex.EncodeToString(secret))
	p.showSecondFactor(c, http.StatusOK, u, secret, false)
}

func (p *Pages) showSecondFactor(c *gin.Context, status int, u store.User, secret []byte, wrong bool) {
	v := view.SecondFactor{Address: access.SecondFactorAddress(u.Login, secret), Wrong: wrong}
	var err error
	if v.Required, err = p.lacksFactor(c); err != nil {
		p.fail(c, err)
		return
	}
	v.Passkeys = p.passkeysHere()
	v.Secret = base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
	if code, err := qr.Encode(v.Address, qr.M); err == nil {
		v.QR, v.Size = modules(code), code.Size
	}
	p.render(c, status, page.SecondFactor(p.shell(c, view.SectionSettings), v))
}

// modules draws a code as an SVG path of one square for each black module.
func modules(code *qr.Code) string {
	var b strings.Builder
	for y := range code.Size {
		for x := range code.Size {
			if code.Black(x, y) {
				fmt.Fprintf(&b, "M%d %dh1v1h-1z", x, y)
			}
		}
	}
	return b.String()
}

func (p *Pages) confirmSecondFactor(c *gin.Context) {
	ctx := c.Request.Context()
	u, _ := person(c)
	secret, err := hex.DecodeString(p.sessions.GetString(ctx, sessionSecret))
	if err != nil || len(secret) == 0 {
		back(c, "/settings/second-factor")
		return
	}
	recovery, err := p.o.Access.ConfirmSecondFactor(ctx, u.ID, secret, c.PostForm("code"))
	switch {
	case errors.Is(err, access.ErrWrongCode):
		p.showSecondFactor(c, http.StatusUnprocessableEntity, u, secret, true)
	case err != nil:
		p.fail(c, err)
	default:
		p.sessions.Remove(ctx, sessionSecret)
		p.o.Audit.Record(ctx, "person.second_factor", personObject(u))
		if err := p.show(c, shownRecovery, recovery); err != nil {
			p.fail(c, err)
			return
		}
		back(c, factorPage)
	}
}

func (p *Pages) dropSecondFactor(c *gin.Context) {
	u, _ := person(c)
	err := p.o.Access.DropSecondFactor(c.Request.Context(), u.ID, c.PostForm("password"), true)
	switch {
	case errors.Is(err, access.ErrWrongLogin):
		p.showSettings(c, http.StatusUnprocessableEntity, func(v *view.Settings) { v.Problems = map[string]provider.Text{"factor_password": textPresent} })
	case p.tooBusy(c, err):
	case err != nil:
		p.fail(c, err)
	default:
		p.o.Audit.Record(c.Request.Context(), "person.drop_second_factor", personObject(u))
		p.flash(c, view.Flash{Key: "flash.factor_dropped"})
		back(c, "/settings")
	}
}

func (p *Pages) endSession(c *gin.Context) {
	u, _ := person(c)
	if err := p.o.Store.EndUserSessions(c.Request.Context(), u.ID, c.Param("id"), ""); err != nil {
		p.fail(c, err)
		return
	}
	p.flash(c, view.Flash{Key: "flash.session_ended"})
	back(c, "/settings")
}

func (p *Pages) endOtherSessions(c *gin.Context) {
	u, _ := person(c)
	ctx := c.Request.Context()
	if err := p.o.Store.EndUserSessions(ctx, u.ID, "", p.sessions.GetString(ctx, sessionID)); err != nil {
		p.fail(c, err)
		return
	}
	p.flash(c, view.Flash{Key: "flash.sessions_ended"})
	back(c, "/settings")
}
