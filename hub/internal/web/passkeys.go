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
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// passkeyExchange carries the challenge and the answer of a passkey between the hub and the
// script of its pages. Sign-in and settings embed it.
type passkeyExchange struct {
	*kit
	passkeys *access.Passkeys
}

func newPasskeyExchange(k *kit, o Options) *passkeyExchange {
	return &passkeyExchange{kit: k, passkeys: o.Access.Passkeys(k.publicURL)}
}

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
	// ReturnTo is the page that a login returns to.
	ReturnTo string `json:"return_to"`
}

// mostPasskeyBytes bounds an answer; real ones are a few kilobytes.
const mostPasskeyBytes = 64 << 10

// askBrowser answers with the options of the WebAuthn request.
func (p *passkeyExchange) askBrowser(c *gin.Context, key string, options any, pending []byte, err error) {
	if err != nil {
		p.passkeyProblem(c, err)
		return
	}
	p.sessions.Put(c.Request.Context(), key, string(pending))
	c.Header("Cache-Control", "no-store")
	c.JSON(http.StatusOK, options)
}

// passkeyAnswered reads the browser's answer, and takes the challenge from the session.
func (p *passkeyExchange) passkeyAnswered(c *gin.Context, key string) (pending []byte, a passkeyAnswer, err error) {
	pending = []byte(p.sessions.PopString(c.Request.Context(), key))
	body, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, mostPasskeyBytes))
	if err != nil || json.Unmarshal(body, &a) != nil {
		return pending, a, access.ErrPasskeyRefused
	}
	return pending, a, nil
}

// passkeyProblems are the expected errors, with the text and status of each.
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

// passkeyProblem answers the script with the text of a problem.
func (p *passkeyExchange) passkeyProblem(c *gin.Context, err error) {
	ctx := c.Request.Context()
	if wait, ok := tooMany(c, err); ok {
		c.JSON(http.StatusTooManyRequests, gin.H{"problem": page.WaitSentence(ctx, wait)})
		return
	}
	for _, known := range passkeyProblems {
		if errors.Is(err, known.err) {
			p.logger.Warn("passkey login denied", "route", c.FullPath(), "from", c.ClientIP(), "error", cut(err.Error(), mostLogged))
			c.JSON(known.status, gin.H{"problem": i18n.T(ctx, known.key)})
			return
		}
	}
	reference := p.trouble(c, err)
	c.JSON(http.StatusInternalServerError, gin.H{"problem": i18n.T(ctx, "passkeys.problem.hub", "Reference", reference)})
}

// passkeysHere returns whether passkeys work at this address.
func (p *passkeyExchange) passkeysHere() view.Passkeys {
	return view.Passkeys{Trouble: p.passkeys.Trouble(), Address: p.publicURL}
}
