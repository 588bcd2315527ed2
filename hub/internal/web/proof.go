package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

const (
	// proofPage asks people to show once more that it is them.
	proofPage = "/login/confirm"
	// provedKey is where a request has when its person has last shown a password, a passkey
	// or a code, or has signed in anew at the sign-in service.
	provedKey = "proved-at"
	// proofLife is how long that counts for what a session alone must not do.
	proofLife = 5 * time.Minute
)

// hasProof reports whether they have within the last minutes.
func (p *Pages) hasProof(c *gin.Context) bool {
	age := time.Since(c.GetTime(provedKey))
	return age >= -proofLife && age < proofLife
}

// proven lets an act through whose person has shown within the last minutes that it is
// them: a session alone, which may have been left open or stolen, does not change what
// somebody logs in with, make keys that may do everything, or move grants to other hosts.
// Others are led to a page that asks for it, and back here with what they entered.
func (p *Pages) proven(c *gin.Context) {
	if !p.needProof(c) {
		c.Abort()
	}
}

// needProof is proven for a handler: false if the request is answered.
func (p *Pages) needProof(c *gin.Context) bool {
	if p.hasProof(c) {
		return true
	}
	query := url.Values{"return_to": {p.pageOf(c.Request)}}
	if c.Request.Method != http.MethodGet {
		query.Set("ended", "1") // the browser keeps what was entered: evergrant.js
	}
	target := proofPage + "?" + query.Encode()
	switch {
	case slices.Contains(scripted, c.FullPath()):
		c.JSON(http.StatusForbidden, gin.H{"problem": i18n.T(c.Request.Context(), "proof.title"), "to": p.base + target})
	case inPart(c):
		c.Header("HX-Redirect", localPath(target))
		c.Status(http.StatusForbidden)
	default:
		back(c, target)
	}
	return false
}

// scripted are the acts that the script of passkeys asks for.
var scripted = []string{"/settings/passkeys/begin", "/settings/passkeys/finish"}

// proofForm is the page that asks. Whoever has codes shows one: a password alone is not
// their proof.
func (p *Pages) proofForm(c *gin.Context) {
	p.showProof(c, http.StatusOK, view.Proof{ReturnTo: localPath(c.Query("return_to")), Ended: c.Query("ended") != ""})
}

func (p *Pages) showProof(c *gin.Context, status int, v view.Proof) {
	u, _ := person(c)
	list, err := p.o.People.Passkeys(c.Request.Context(), u.ID)
	if err != nil {
		p.fail(c, err)
		return
	}
	v.Code, v.Password = u.SecondFactor.On(), !u.SecondFactor.On() && u.PasswordHash != ""
	v.Login = view.Login{Login: u.Login, ReturnTo: v.ReturnTo, Address: p.o.PublicURL, Passkeys: len(list) > 0 && p.passkeys.Trouble() == ""}
	if u.OIDCSubject != "" && !v.Code {
		v.Login.Service = p.o.OIDC.Title()
	}
	p.render(c, status, page.Proof(p.shell(c, view.SectionSettings), v))
}

// confirm takes a password or a code. Both are tried as slowly as at a login.
func (p *Pages) confirm(c *gin.Context) {
	ctx := c.Request.Context()
	v := view.Proof{ReturnTo: localPath(c.PostForm("return_to")), Ended: c.PostForm("ended") != ""}
	err := p.o.People.Confirm(ctx, p.sessions.GetString(ctx, sessionID), c.PostForm("password"), c.PostForm("code"), devices(c)...)
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
