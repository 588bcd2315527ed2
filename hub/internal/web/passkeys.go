package web

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/people"
	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// Keys of a session: what is needed to check the answer that a browser will send, each
// taken out by the first answer.
const (
	sessionPasskeyLogin = "passkey-login"
	sessionPasskeyAdd   = "passkey-add"
)

// passkeyAnswer is what the pages' script sends.
type passkeyAnswer struct {
	// Answer is a PublicKeyCredential as its toJSON writes it.
	Answer json.RawMessage `json:"answer"`
	// Title is the name of a new passkey.
	Title string `json:"title"`
	// ReturnTo is where a login leads.
	ReturnTo string `json:"return_to"`
}

// mostPasskeyBytes bounds an answer; real ones are a few kilobytes.
const mostPasskeyBytes = 64 << 10

func (p *Pages) beginPasskeyLogin(c *gin.Context) {
	options, pending, err := p.passkeys.BeginLogin(c.Request.Context(), c.ClientIP(), devices(c)...)
	if err == nil {
		err = p.beginAsStranger(c)
	}
	p.askBrowser(c, sessionPasskeyLogin, options, pending, err)
}

func (p *Pages) beginPasskey(c *gin.Context) {
	u, _ := person(c)
	options, pending, err := p.passkeys.BeginAdd(c.Request.Context(), u)
	p.askBrowser(c, sessionPasskeyAdd, options, pending, err)
}

// askBrowser answers with what the browser has to ask its person for.
func (p *Pages) askBrowser(c *gin.Context, key string, options any, pending []byte, err error) {
	if err != nil {
		p.passkeyProblem(c, err)
		return
	}
	p.sessions.Put(c.Request.Context(), key, string(pending))
	c.Header("Cache-Control", "no-store")
	c.JSON(http.StatusOK, options)
}

// passkeyAnswered reads the browser's answer and takes what it is checked against.
func (p *Pages) passkeyAnswered(c *gin.Context, key string) (pending []byte, a passkeyAnswer, err error) {
	pending = []byte(p.sessions.PopString(c.Request.Context(), key))
	body, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, mostPasskeyBytes))
	if err != nil || json.Unmarshal(body, &a) != nil {
		return pending, a, access.ErrPasskeyRefused
	}
	return pending, a, nil
}

func (p *Pages) passkeyLogin(c *gin.Context) {
	pending, a, err := p.passkeyAnswered(c, sessionPasskeyLogin)
	var in people.Entered
	if err == nil {
		in, err = p.o.People.LoginPasskey(p.stranger(c), pending, a.Answer, devices(c)...)
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

func (p *Pages) addPasskey(c *gin.Context) {
	pending, a, err := p.passkeyAnswered(c, sessionPasskeyAdd)
	var added peopledb.Passkey
	if err == nil {
		added, err = p.o.People.AddPasskey(c.Request.Context(), pending, a.Answer, a.Title)
	}
	if err != nil {
		p.passkeyProblem(c, err)
		return
	}
	p.flash(c, view.Flash{Key: "flash.passkey_added", Name: added.Title})
	c.JSON(http.StatusOK, gin.H{"to": p.base + "/settings"})
}

func (p *Pages) removePasskey(c *gin.Context) {
	removed, err := p.o.People.RemovePasskey(c.Request.Context(), c.Param("id"))
	if err != nil {
		p.fail(c, err)
		return
	}
	p.flash(c, view.Flash{Key: "flash.passkey_removed", Name: removed.Title})
	back(c, "/settings")
}

// passkeyProblems are the sentences of what can go wrong, and the status of each.
var passkeyProblems = []struct {
	err    error
	key    string
	status int
}{
	{access.ErrPasskeysOff, "passkeys.problem.off", http.StatusConflict},
	{access.ErrPasskeyLate, "passkeys.problem.late", http.StatusUnprocessableEntity},
	{access.ErrPasskeyUnknown, "passkeys.problem.unknown", http.StatusUnprocessableEntity},
	{access.ErrPasskeyCopied, "passkeys.problem.copied", http.StatusUnprocessableEntity},
	{access.ErrPasskeyTaken, "passkeys.problem.taken", http.StatusUnprocessableEntity},
	{access.ErrPasskeyRefused, "passkeys.problem.refused", http.StatusUnprocessableEntity},
	{people.ErrOutdated, "passkeys.problem.refused", http.StatusUnprocessableEntity},
}

// passkeyProblem answers the pages' script with a sentence to show.
func (p *Pages) passkeyProblem(c *gin.Context, err error) {
	ctx := c.Request.Context()
	if wait, ok := tooMany(c, err); ok {
		c.JSON(http.StatusTooManyRequests, gin.H{"problem": page.WaitSentence(ctx, wait)})
		return
	}
	for _, known := range passkeyProblems {
		if errors.Is(err, known.err) {
			p.o.Logger.Warn("passkey login denied", "route", c.FullPath(), "from", c.ClientIP(), "error", cut(err.Error(), mostLogged))
			c.JSON(known.status, gin.H{"problem": i18n.T(ctx, known.key)})
			return
		}
	}
	reference := p.trouble(c, err)
	c.JSON(http.StatusInternalServerError, gin.H{"problem": i18n.T(ctx, "passkeys.problem.hub", "Reference", reference)})
}

// passkeysHere is what pages say of passkeys at this address.
func (p *Pages) passkeysHere() view.Passkeys {
	return view.Passkeys{Trouble: p.passkeys.Trouble(), Address: p.o.PublicURL}
}

// passkeyList are those of the signed-in person.
func (p *Pages) passkeyList(c *gin.Context) (view.Passkeys, error) {
	u, _ := person(c)
	v := p.passkeysHere()
	list, err := p.o.People.Passkeys(c.Request.Context(), u.ID)
	for _, k := range list {
		v.List = append(v.List, view.Passkey{ID: k.ID, Title: k.Title, CreatedAt: k.CreatedAt, LastUsedAt: k.LastUsedAt})
	}
	return v, err
}

// requireSecondFactor says whether everybody needs a second factor.
func (p *Pages) requireSecondFactor(c *gin.Context) {
	on, key := ticked(c, "require"), "flash.factor_not_required"
	if on {
		key = "flash.factor_required"
	}
	if err := p.o.People.RequireSecondFactor(c.Request.Context(), on); err != nil {
		p.fail(c, err)
		return
	}
	p.flash(c, view.Flash{Key: key})
	back(c, "/people")
}
