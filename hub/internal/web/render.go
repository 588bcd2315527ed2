package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// contentPolicy is the Content-Security-Policy of every page: nothing from elsewhere,
// nothing inline.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
	"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// render writes a page.
func (p *Pages) render(c *gin.Context, status int, component templ.Component) {
	h := c.Writer.Header()
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", "text/html; charset=utf-8")
	c.Status(status)
	if err := component.Render(c.Request.Context(), c.Writer); err != nil {
		p.o.Logger.Warn("write page failed", "route", c.FullPath(), "error", err)
	}
}

// shell is what stands around a page of a section.
func (p *Pages) shell(c *gin.Context, section string) view.Shell {
	s := view.Shell{Section: section, Path: returnPath(c.Request), Theme: p.theme(c)}
	_, s.Detached = errors.AsType[*store.DetachedError](p.o.Overview.Detached(c.Request.Context()))
	if u, ok := person(c); ok {
		s.Person = &view.Person{Login: u.Login, Name: u.Name}
		s.Flash = p.takeFlash(c)
		s.Attention = p.attention(c)
	}
	return s
}

// returnPath is where a switch of language or theme leads back to; "" if the page cannot
// be shown again, for what was entered into it, or came to it, would be lost. Addresses
// that a service or a sign-in service leads to hold codes, which no page repeats; a link
// that is good once is in its page anyway.
func returnPath(r *http.Request) string {
	path := r.URL.Path
	switch {
	case strings.HasPrefix(path, "/callback/"), path == "/login/oidc/callback":
		return ""
	case r.Method == http.MethodGet:
		return r.URL.RequestURI()
	case path == "/setup", path == "/invite":
		return path + "?" + url.Values{"link": {r.PostFormValue("link")}}.Encode()
	case path == "/login":
		return path + "?" + url.Values{"return_to": {localPath(r.PostFormValue("return_to"))}}.Encode()
	case path == "/login/code", strings.HasPrefix(path, "/grant/"), strings.HasPrefix(path, "/ack/"):
		return path
	default:
		return ""
	}
}

// attention counts the connections that need a person, for the navigation.
func (p *Pages) attention(c *gin.Context) int {
	counts, err := p.counts(c.Request.Context())
	if err != nil {
		return 0 // the page itself will say that the database cannot be read
	}
	return counts.Acute()
}

// fail shows an error page. What happened goes to the log under a reference.
func (p *Pages) fail(c *gin.Context, err error) {
	if errors.Is(err, store.ErrNotFound) {
		p.NotFound(c)
		return
	}
	if errors.Is(err, act.ErrNotAllowed) {
		p.render(c, http.StatusForbidden, page.Failure(p.shell(c, ""), view.Failure{Status: http.StatusForbidden, Role: true}))
		return
	}
	if _, ok := errors.AsType[*store.DetachedError](err); ok {
		p.render(c, http.StatusConflict, page.Failure(p.shell(c, ""), view.Failure{Status: http.StatusConflict}))
		return
	}
	p.render(c, http.StatusInternalServerError, page.Failure(p.shell(c, ""), view.Failure{Status: http.StatusInternalServerError, Reference: p.trouble(c, err)}))
}

// mostLogged bounds an error in the log, in bytes: it may quote what a stranger sent.
const mostLogged = 1000

// trouble logs an error and returns the reference that finds it.
func (p *Pages) trouble(c *gin.Context, err error) string {
	reference := strings.ToUpper(store.NewID()[24:])
	p.o.Logger.Error("render page failed", "route", c.FullPath(), "reference", reference, "error", cut(err.Error(), mostLogged))
	return reference
}

// NotFound is the page for addresses that there are not.
func (p *Pages) NotFound(c *gin.Context) {
	if _, ok := c.Get(personKey); !ok {
		p.speak(c)
	}
	p.render(c, http.StatusNotFound, page.Failure(p.shell(c, ""), view.Failure{Status: http.StatusNotFound}))
}

// back redirects to an address of the hub; every redirect that does not leave it is made
// here.
func back(c *gin.Context, path string) { c.Redirect(http.StatusSeeOther, localPath(path)) }

// speak picks language, time zone and theme of the request.
func (p *Pages) speak(c *gin.Context) {
	wishes := []string{p.cookie(c, langCookie), c.GetHeader("Accept-Language")}
	if u, ok := p.user(c); ok && u.Lang != "" {
		wishes = append([]string{u.Lang}, wishes...)
	}
	zone, err := time.LoadLocation(p.cookie(c, zoneCookie))
	if err != nil || p.cookie(c, zoneCookie) == "" {
		zone = time.Local
	}
	speaker := i18n.NewSpeaker(i18n.Match(wishes...), zone, time.Now())
	c.Request = c.Request.WithContext(i18n.With(c.Request.Context(), speaker))
	c.Header("Content-Language", speaker.Lang)
}

// Cookies of preferences; the script of the pages writes the zone.
const (
	langCookie  = "evergrant_lang"
	themeCookie = "evergrant_theme"
	zoneCookie  = "evergrant_zone"
)

func (p *Pages) cookie(c *gin.Context, name string) string {
	v, _ := c.Cookie(name)
	if len(v) > 64 {
		return ""
	}
	return v
}

func (p *Pages) setCookie(c *gin.Context, name, value, path string, life time.Duration) {
	http.SetCookie(c.Writer, &http.Cookie{ //nolint:gosec // G124: Secure follows the hub's own address
		Name: name, Value: value, Path: path, MaxAge: int(life.Seconds()), HttpOnly: true, Secure: p.secure, SameSite: http.SameSiteLaxMode,
	})
}

func (p *Pages) theme(c *gin.Context) string {
	for _, theme := range view.Themes {
		if p.cookie(c, themeCookie) == theme {
			return theme
		}
	}
	return view.ThemeAuto
}
