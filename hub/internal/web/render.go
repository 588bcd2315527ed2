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
func (k *kit) render(c *gin.Context, status int, component templ.Component) {
	h := c.Writer.Header()
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", "text/html; charset=utf-8")
	c.Status(status)
	if err := component.Render(c.Request.Context(), c.Writer); err != nil {
		k.logger.Warn("write page failed", "route", c.FullPath(), "error", err)
	}
}

// shell returns the frame of a page: navigation, person, flash message.
func (k *kit) shell(c *gin.Context, section string) view.Shell {
	s := view.Shell{Section: section, Path: returnPath(c.Request), Theme: k.theme(c)}
	_, s.Detached = errors.AsType[*store.DetachedError](k.overview.Detached(c.Request.Context()))
	if u, ok := person(c); ok {
		s.Person = &view.Person{Login: u.Login, Name: u.Name}
		s.Flash = k.takeFlash(c)
		s.Attention = k.attention(c)
	}
	return s
}

// returnPath is the address that a change of language or theme returns to; "" if the page
// cannot be shown again without losing its input. Addresses of callbacks contain codes, which
// no page may repeat; a link that is valid once is in its page anyway.
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
func (k *kit) attention(c *gin.Context) int {
	counts, err := k.counts(c.Request.Context())
	if err != nil {
		return 0 // the page itself reports that the database cannot be read
	}
	return counts.Acute()
}

// fail shows an error page. What happened goes to the log under a reference.
func (k *kit) fail(c *gin.Context, err error) {
	if errors.Is(err, store.ErrNotFound) {
		k.NotFound(c)
		return
	}
	if errors.Is(err, act.ErrNotAllowed) {
		k.render(c, http.StatusForbidden, page.Failure(k.shell(c, ""), view.Failure{Status: http.StatusForbidden, Role: true}))
		return
	}
	if _, ok := errors.AsType[*store.DetachedError](err); ok {
		k.render(c, http.StatusConflict, page.Failure(k.shell(c, ""), view.Failure{Status: http.StatusConflict}))
		return
	}
	k.render(c, http.StatusInternalServerError, page.Failure(k.shell(c, ""), view.Failure{Status: http.StatusInternalServerError, Reference: k.trouble(c, err)}))
}

// mostLogged bounds an error in the log, in bytes: it may quote what a stranger sent.
const mostLogged = 1000

// trouble logs an error and returns the reference that finds it.
func (k *kit) trouble(c *gin.Context, err error) string {
	reference := strings.ToUpper(store.NewID()[24:])
	k.logger.Error("render page failed", "route", c.FullPath(), "reference", reference, "error", cut(err.Error(), mostLogged))
	return reference
}

// NotFound is the page for addresses that there are not.
func (k *kit) NotFound(c *gin.Context) {
	if _, ok := c.Get(personKey); !ok {
		k.speak(c)
	}
	k.render(c, http.StatusNotFound, page.Failure(k.shell(c, ""), view.Failure{Status: http.StatusNotFound}))
}

// back redirects to an address of the hub; every redirect that does not leave it is made
// here.
func back(c *gin.Context, path string) { c.Redirect(http.StatusSeeOther, localPath(path)) }

// speak sets the language and time zone of the request.
func (k *kit) speak(c *gin.Context) {
	wishes := []string{k.cookie(c, langCookie), c.GetHeader("Accept-Language")}
	if u, ok := k.user(c); ok && u.Lang != "" {
		wishes = append([]string{u.Lang}, wishes...)
	}
	zone, err := time.LoadLocation(k.cookie(c, zoneCookie))
	if err != nil || k.cookie(c, zoneCookie) == "" {
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

func (k *kit) cookie(c *gin.Context, name string) string {
	v, _ := c.Cookie(name)
	if len(v) > 64 {
		return ""
	}
	return v
}

func (k *kit) setCookie(c *gin.Context, name, value, path string, life time.Duration) {
	http.SetCookie(c.Writer, &http.Cookie{ //nolint:gosec // G124: Secure follows the hub's own address
		Name: name, Value: value, Path: path, MaxAge: int(life.Seconds()), HttpOnly: true, Secure: k.secure, SameSite: http.SameSiteLaxMode,
	})
}

func (k *kit) theme(c *gin.Context) string {
	for _, theme := range view.Themes {
		if k.cookie(c, themeCookie) == theme {
			return theme
		}
	}
	return view.ThemeAuto
}
