package web

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// keyCreated is the page that shows a new key.
const keyCreated = "/keys/created"

// firstOfToken is how many characters of a token are shown when a key is tried.
const firstOfToken = 6

// showNewKey redirects to the page that shows a key that was just created.
func (p *keyPages) showNewKey(c *gin.Context, v view.NewKey) {
	if err := p.show(c, shownKey, v); err != nil {
		p.fail(c, err)
		return
	}
	back(c, keyCreated)
}

// newKey shows a key until the list of keys is opened, at most for ten minutes.
func (p *keyPages) newKey(c *gin.Context) {
	if v, ok := p.keyToShow(c); ok {
		p.render(c, http.StatusOK, page.KeyCreated(p.shell(c, view.SectionKeys), v))
	}
}

// keyToShow is the key of the page; without one the list of keys is shown instead.
func (p *keyPages) keyToShow(c *gin.Context) (view.NewKey, bool) {
	v, ok := toShow[view.NewKey](p.kit, c, shownKey)
	if !ok {
		back(c, "/keys")
		return v, false
	}
	if v.PullName != "" {
		v.PullURL = p.publicURL + pullPath(v.PullName)
	}
	return v, true
}

func pullPath(name string) string { return "/api/v1/connections/" + url.PathEscape(name) + "/token" }

// tryKey pulls a token with a new key through the hub's API, as a process would, and shows the
// answer.
func (p *keyPages) tryKey(c *gin.Context) {
	v, ok := p.keyToShow(c)
	if !ok {
		return
	}
	if v.PullName != "" {
		v.Run = p.run(c, v)
	}
	p.showNewKey(c, v)
}

func (p *keyPages) run(c *gin.Context, v view.NewKey) *view.KeyRun {
	req := httptest.NewRequestWithContext(c.Request.Context(), http.MethodGet, pullPath(v.PullName), nil)
	req.Host, req.RemoteAddr = c.Request.Host, c.Request.RemoteAddr
	req.Header.Set("Authorization", "Bearer "+v.Secret)
	if from := c.GetHeader("X-Forwarded-For"); from != "" {
		req.Header.Set("X-Forwarded-For", from)
	}
	reply := httptest.NewRecorder()
	p.router.ServeHTTP(reply, req)
	var body struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int64  `json:"expires_in"`
		Detail      string `json:"detail"`
	}
	_ = json.Unmarshal(reply.Body.Bytes(), &body) // an answer that is no JSON has none of it
	return &view.KeyRun{Status: reply.Code, First: body.AccessToken[:min(len(body.AccessToken), firstOfToken)], ExpiresIn: body.ExpiresIn, Said: body.Detail}
}
