package web

import (
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"
	"rsc.io/qr"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// secondFactorForm creates a secret, which takes effect once a code of it is entered.
func (p *settingsPages) secondFactorForm(c *gin.Context) {
	u, _ := person(c)
	if recovery, ok := toShow[[]string](p.kit, c, shownRecovery); ok {
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

func (p *settingsPages) showSecondFactor(c *gin.Context, status int, u peopledb.User, secret []byte, wrong bool) {
	v := view.SecondFactor{Address: access.SecondFactorAddress(u.Login, secret), Wrong: wrong}
	var err error
	if v.Required, err = p.gate.lacksFactor(c); err != nil {
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

func (p *settingsPages) confirmSecondFactor(c *gin.Context) {
	ctx := c.Request.Context()
	u, _ := person(c)
	secret, err := hex.DecodeString(p.sessions.GetString(ctx, sessionSecret))
	if err != nil || len(secret) == 0 {
		back(c, "/settings/second-factor")
		return
	}
	recovery, err := p.people.ConfirmSecondFactor(ctx, secret, c.PostForm("code"))
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

func (p *settingsPages) dropSecondFactor(c *gin.Context) {
	err := p.people.DropSecondFactor(c.Request.Context(), c.PostForm("password"))
	switch {
	case errors.Is(err, access.ErrWrongLogin):
		p.showSettings(c, http.StatusUnprocessableEntity, func(v *view.Settings) { v.Problems = map[string]i18n.Words{"factor_password": textPresent} })
	case p.tooBusy(c, err):
	case err != nil:
		p.fail(c, err)
	default:
		p.flash(c, view.Flash{Key: "flash.factor_dropped"})
		back(c, "/settings")
	}
}
