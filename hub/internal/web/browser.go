package web

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/authflow"
)

// browserCookie binds authorizations to the browser that started them: one secret for
// any number at once. The API gives cookies of further names, which begin alike. They
// go to the whole hub, for a service's redirect URI may be at any address of it.
const (
	browserCookie     = "evergrant_browser"
	browserCookiePath = "/"
	browserCookieLife = time.Hour
	browserSecretSize = 43
	// mostBrowsers bounds the secrets of a browser that are looked at.
	mostBrowsers = 32
)

// browsers are the secrets that a browser holds.
func browsers(r *http.Request) []string {
	var all []string
	for _, cookie := range r.Cookies() {
		ours := cookie.Name == browserCookie || strings.HasPrefix(cookie.Name, browserCookie+"_")
		if ours && len(cookie.Value) == browserSecretSize && len(all) < mostBrowsers {
			all = append(all, cookie.Value)
		}
	}
	return all
}

// browserOf returns the secret of the browser that starts an authorization. It stays the same
// while authorizations are open there, so that they do not end each other.
func browserOf(c *gin.Context) string {
	if cookie, err := c.Request.Cookie(browserCookie); err == nil && len(cookie.Value) == browserSecretSize {
		return cookie.Value
	}
	return authflow.NewBrowser()
}

// isPrefetch reports whether a browser loads a page ahead of navigation.
func isPrefetch(r *http.Request) bool {
	for _, name := range []string{"Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"} {
		if value := strings.ToLower(r.Header.Get(name)); strings.Contains(value, "prefetch") || strings.Contains(value, "prerender") || strings.Contains(value, "preview") {
			return true
		}
	}
	return false
}

// maxFormPost bounds what a service may post to a callback, in bytes.
const maxFormPost = 64 << 10

// postedCallback is the callback of services that answer with a form (OAuth 2.0 Form Post
// Response Mode). A browser sends no cookie of ours with another site's form, so it is
// led on to the address that has the same parameters.
func (p *grantPages) postedCallback(c *gin.Context) {
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, maxFormPost)
	if err := c.Request.ParseForm(); err != nil {
		c.Status(http.StatusBadRequest)
		return
	}
	c.Header("Cache-Control", "no-store")
	c.Header("Referrer-Policy", "no-referrer")
	path := localPath("/callback/" + url.PathEscape(c.Param("service")))
	c.Redirect(http.StatusSeeOther, path+"?"+c.Request.Form.Encode())
}
