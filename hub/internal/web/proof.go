package web

import (
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// proofForm shows the page for a fresh proof of identity. People with a second factor enter a
// code: the password alone is no proof.
func (p *settingsPages) proofForm(c *gin.Context) {
	p.showProof(c, http.StatusOK, view.Proof{ReturnTo: localPath(c.Query("return_to")), Ended: c.Query("ended") != ""})
}

func (p *settingsPages) showProof(c *gin.Context, status int, v view.Proof) {
	u, _ := person(c)
	list, err := p.people.Passkeys(c.Request.Context(), u.ID)
	if err != nil {
		p.fail(c, err)
		return
	}
	v.Code, v.Password = u.SecondFactor.On(), !u.SecondFactor.On() && u.PasswordHash != ""
	v.Login = view.Login{Login: u.Login, ReturnTo: v.ReturnTo, Address: p.publicURL, Passkeys: len(list) > 0 && p.passkeys.Trouble() == ""}
	if u.OIDCSubject != "" && !v.Code {
		v.Login.Service = p.oidc.Title()
	}
	p.render(c, status, page.Proof(p.shell(c, view.SectionSettings), v))
}

// confirm takes a password or a code. Both are tried as slowly as at a login.
func (p *settingsPages) confirm(c *gin.Context) {
	ctx := c.Request.Context()
	v := view.Proof{ReturnTo: localPath(c.PostForm("return_to")), Ended: c.PostForm("ended") != ""}
	err := p.people.Confirm(ctx, p.sessions.GetString(ctx, sessionID), c.PostForm("password"), c.PostForm("code"), devices(c)...)
	if wait, ok := tooMany(c, err); ok {
		v.Wait = wait
		p.showProof(c, http.StatusTooManyRequests, v)
		return
	}
	switch {
	case errors.Is(err, access.ErrWrongLogin), errors.Is(err, access.ErrWrongCode):
		v.Wrong = true
		p.showProof(c, http.StatusUnprocessableEntity, v)
	case err != nil:
		p.fail(c, err)
	default:
		back(c, v.ReturnTo)
	}
}
