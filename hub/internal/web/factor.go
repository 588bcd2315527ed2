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
	"github.com/evergrant/evergrant/hub/internal/app/people"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
	"github.com/evergrant/evergrant/sdk/provider"
)

// pendingLife is how long a password counts without its code.
const pendingLife = 5 * time.Minute

// askForCode remembers that the password was right and asks for the code.
func (p *Pages) askForCode(c *gin.Context, in people.Entered, to string) {
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
	if !p.o.People.Stands(ctx, id, p.sessions.GetString(ctx, sessionPendingDigest)) {
		p.sessions.Remove(ctx, sessionPending)
		return ""
	}
	return id
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
	ctx := c.Request.Context()
	by, digest := p.sessions.GetString(ctx, sessionPendingBy), p.sessions.GetString(ctx, sessionPendingDigest)
	in, err := p.o.People.LoginCode(p.stranger(c), id, by, digest, c.PostForm("code"), devices(c)...)
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

func (p *Pages) showSecondFactor(c *gin.Context, status int, u peopledb.User, secret []byte, wrong bool) {
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
	recovery, err := p.o.People.ConfirmSecondFactor(ctx, secret, c.PostForm("code"))
	switch {
	case errors.Is(err, access.ErrWrongCode):
		p.showSecondFactor(c, http.StatusUnprocessableEntity, u, secret, true)
	case err != nil:
		p.fail(c, err)
	default:
		p.sessions.Remove(ctx, sessionSecret)
		if err := p.show(c, shownRecovery, recovery); err != nil {
			p.fail(c, err)
			return
		}
		back(c, factorPage)
	}
}

func (p *Pages) dropSecondFactor(c *gin.Context) {
	err := p.o.People.DropSecondFactor(c.Request.Context(), c.PostForm("password"))
	switch {
	case errors.Is(err, access.ErrWrongLogin):
		p.showSettings(c, http.StatusUnprocessableEntity, func(v *view.Settings) { v.Problems = map[string]provider.Text{"factor_password": textPresent} })
	case p.tooBusy(c, err):
	case err != nil:
		p.fail(c, err)
	default:
		p.flash(c, view.Flash{Key: "flash.factor_dropped"})
		back(c, "/settings")
	}
}

func (p *Pages) endSession(c *gin.Context) {
	if err := p.o.People.EndSession(c.Request.Context(), c.Param("id")); err != nil {
		p.fail(c, err)
		return
	}
	p.flash(c, view.Flash{Key: "flash.session_ended"})
	back(c, "/settings")
}

func (p *Pages) endOtherSessions(c *gin.Context) {
	ctx := c.Request.Context()
	if err := p.o.People.EndOtherSessions(ctx, p.sessions.GetString(ctx, sessionID)); err != nil {
		p.fail(c, err)
		return
	}
	p.flash(c, view.Flash{Key: "flash.sessions_ended"})
	back(c, "/settings")
}
