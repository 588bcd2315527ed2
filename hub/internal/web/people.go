package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/app/people"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
	"github.com/evergrant/evergrant/sdk/provider"
)

// Keys of a session.
const (
	// sessionID names the row that says who is signed in.
	sessionID = "session"
	// sessionBy is by what they have logged in.
	sessionBy = "by"
	// sessionPending is who has shown a password and not yet a code.
	sessionPending   = "pending"
	sessionPendingAt = "pending-at"
	sessionPendingTo = "pending-to"
	sessionPendingBy = "pending-by"
	// sessionPendingDigest is what the password was judged by.
	sessionPendingDigest = "pending-digest"
	sessionSecret        = "new-secret"
	sessionFlashKey      = "flash"
	sessionFlashName     = "flash-name"
	sessionFlashSaid     = "flash-said"
	sessionFlashBad      = "flash-bad"
)

const personKey = "person"

// user finds who is signed in; it is read once for a request.
func (p *Pages) user(c *gin.Context) (peopledb.User, bool) {
	if u, ok := person(c); ok {
		return u, true
	}
	id := p.sessions.GetString(c.Request.Context(), sessionID)
	if id == "" {
		return peopledb.User{}, false
	}
	u, session, err := p.o.People.Present(c.Request.Context(), id, p.idleSince())
	if err != nil {
		return peopledb.User{}, false // signed out elsewhere, not used for long, or disabled
	}
	if now := time.Now(); now.Sub(session.SeenAt) >= p.notedEvery() {
		if err := p.o.People.NoteUse(c.Request.Context(), id, c.ClientIP(), agentOf(c)); err != nil {
			p.o.Logger.Warn("record session use failed", "error", err)
		}
	}
	c.Set(personKey, u)
	c.Set(provedKey, session.ProvedAt)
	return u, true
}

// agentOf is what the browser says of itself.
func agentOf(c *gin.Context) string {
	agent := c.GetHeader("User-Agent")
	return agent[:min(len(agent), 300)]
}

func person(c *gin.Context) (peopledb.User, bool) {
	v, _ := c.Get(personKey)
	u, ok := v.(peopledb.User)
	return u, ok
}

// known finds who is signed in, and lets the rest of the request know.
func (p *Pages) known(c *gin.Context) (peopledb.User, bool) {
	u, ok := p.user(c)
	if ok {
		caller := act.Person(u, c.ClientIP(), agentOf(c))
		c.Request = c.Request.WithContext(view.WithRole(act.With(c.Request.Context(), caller), u.Role))
	}
	return u, ok
}

// visitor finds who comes to a page that needs nobody to be signed in: a person, or
// somebody without an account here, whose link the act finds by itself.
func (p *Pages) visitor(c *gin.Context) (context.Context, bool) {
	_, in := p.known(c)
	if in {
		return c.Request.Context(), true
	}
	return act.With(c.Request.Context(), act.Link(audit.KindFront, "", c.ClientIP(), agentOf(c))), false
}

// signedIn sends strangers to the login page, and back here afterwards.
func (p *Pages) signedIn(c *gin.Context) {
	if _, ok := p.known(c); ok {
		return
	}
	c.Abort()
	if p.frontInstead(c) {
		return
	}
	query := url.Values{}
	if to := p.pageOf(c.Request); to != "/" {
		query.Set("return_to", to)
	}
	if c.Request.Method != http.MethodGet {
		query.Set("ended", "1") // the browser keeps what was entered: evergrant.js
	}
	target := "/login"
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	if c.GetHeader("HX-Request") != "" && c.Request.Method == http.MethodGet && slices.Contains(polled, c.FullPath()) {
		c.Status(http.StatusNoContent) // somebody may be typing in that page
		return
	}
	if c.GetHeader("HX-Request") != "" { // a part of a page must not become the login page
		c.Header("HX-Redirect", localPath(target))
		c.Status(http.StatusUnauthorized)
		return
	}
	back(c, target)
}

// polled are the pages that ask for a part of themselves every so often.
var polled = []string{"/connections/:name", "/bulk/:id"}

// pageOf is the page that a request was made from: for a form, the page of the longest
// beginning of its address that there is.
func (p *Pages) pageOf(r *http.Request) string {
	if r.Method == http.MethodGet {
		return r.URL.RequestURI()
	}
	for path := r.URL.Path; path != "" && path != "/"; path = path[:strings.LastIndexByte(path, '/')] {
		if p.isPage(path) {
			return path
		}
	}
	return "/"
}

// isPage reports whether an address is one of a page.
func (p *Pages) isPage(path string) bool {
	parts := strings.Split(path, "/")
	return slices.ContainsFunc(p.pages, func(pattern []string) bool {
		if len(pattern) != len(parts) {
			return false
		}
		for i, part := range pattern {
			if part != parts[i] && !strings.HasPrefix(part, ":") {
				return false
			}
		}
		return true
	})
}

// may lets through whose role allows an act; others see why not.
func (p *Pages) may(act access.Act) gin.HandlerFunc {
	return func(c *gin.Context) {
		u, ok := person(c)
		if ok && access.May(u.Role, act) {
			return
		}
		if ok && c.Request.Method == http.MethodPost {
			p.o.People.TurnedAway(c.Request.Context(), c.FullPath())
		}
		p.render(c, http.StatusForbidden, page.Failure(p.shell(c, ""), view.Failure{Status: http.StatusForbidden, Role: true}))
		c.Abort()
	}
}

// flash tells something once, on the next page.
func (p *Pages) flash(c *gin.Context, f view.Flash) {
	ctx := c.Request.Context()
	p.sessions.Put(ctx, sessionFlashKey, f.Key)
	p.sessions.Put(ctx, sessionFlashName, f.Name)
	p.sessions.Put(ctx, sessionFlashSaid, f.Said)
	p.sessions.Put(ctx, sessionFlashBad, f.Bad)
}

func (p *Pages) takeFlash(c *gin.Context) *view.Flash {
	ctx := c.Request.Context()
	if !p.sessions.Exists(ctx, sessionFlashKey) {
		return nil
	}
	return &view.Flash{
		Key: p.sessions.PopString(ctx, sessionFlashKey), Name: p.sessions.PopString(ctx, sessionFlashName),
		Said: p.sessions.PopString(ctx, sessionFlashSaid), Bad: p.sessions.PopBool(ctx, sessionFlashBad),
	}
}

func (p *Pages) setupForm(c *gin.Context) {
	p.showSetup(c, http.StatusOK, view.Setup{Link: c.Query("link")})
}

// showSetup shows the set-up page, or says that its link is spent.
func (p *Pages) showSetup(c *gin.Context, status int, v view.Setup) {
	open, err := p.o.Access.SetupOpen(c.Request.Context(), v.Link)
	if err != nil {
		p.fail(c, err)
		return
	}
	if !open {
		v, status = view.Setup{Spent: true}, http.StatusGone
	}
	p.render(c, status, page.Setup(p.shell(c, ""), v))
}

func (p *Pages) setup(c *gin.Context) {
	v := view.Setup{Link: c.PostForm("link"), Login: c.PostForm("login"), Name: c.PostForm("name"), Problems: map[string]provider.Text{}}
	password := c.PostForm("password")
	if password != c.PostForm("repeat") {
		v.Problems["repeat"] = textDiffers
		p.showSetup(c, http.StatusUnprocessableEntity, v)
		return
	}
	in, err := p.o.People.Setup(p.stranger(c), v.Link, v.Login, v.Name, password, i18n.Lang(c.Request.Context()))
	switch {
	case errors.Is(err, access.ErrWeakPassword):
		v.Problems["password"] = textWeak
	case errors.Is(err, access.ErrEmptyLogin):
		v.Problems["login"] = textLogin
	case errors.Is(err, access.ErrSetupDone):
	case errors.Is(err, people.ErrOutdated):
		back(c, "/login")
		return
	case p.tooBusy(c, err):
		return
	case err != nil:
		p.fail(c, err)
		return
	default:
		p.enter(c, in, "/")
		return
	}
	p.showSetup(c, http.StatusUnprocessableEntity, v)
}

func (p *Pages) loginForm(c *gin.Context) {
	if _, ok := p.user(c); ok {
		back(c, "/")
		return
	}
	p.showLogin(c, http.StatusOK, view.Login{ReturnTo: c.Query("return_to"), Ended: c.Query("ended") != ""})
}

func (p *Pages) showLogin(c *gin.Context, status int, v view.Login) {
	nobody, err := p.o.People.Nobody(c.Request.Context())
	if err != nil {
		p.fail(c, err)
		return
	}
	v.NotSetUp, v.Service = nobody, p.o.OIDC.Title()
	v.Front = !nobody && p.anyPublished(c)
	v.Passkeys, v.Address = p.passkeys.Trouble() == "", p.o.PublicURL
	p.render(c, status, page.Login(p.shell(c, ""), v))
}

func (p *Pages) login(c *gin.Context) {
	v := view.Login{Login: c.PostForm("login"), ReturnTo: c.PostForm("return_to"), Ended: c.PostForm("ended") != ""}
	in, err := p.o.People.Login(p.stranger(c), v.Login, c.PostForm("password"), devices(c)...)
	status := http.StatusUnprocessableEntity
	wait, tooOften := tooMany(c, err)
	switch {
	case err == nil && in.Session == "":
		p.askForCode(c, in, v.ReturnTo)
		return
	case err == nil:
		p.enter(c, in, v.ReturnTo)
		return
	case errors.Is(err, people.ErrOutdated):
		back(c, "/login")
		return
	case errors.Is(err, people.ErrUsePasskey):
		v.UsePasskey, status = true, http.StatusForbidden
	case tooOften:
		v.Wait, status = wait, http.StatusTooManyRequests
	case gone(c):
		return
	case errors.Is(err, access.ErrWrongLogin):
		v.Wrong = true
	default:
		p.fail(c, err)
		return
	}
	p.showLogin(c, status, v)
}

func (p *Pages) logout(c *gin.Context) {
	if err := p.o.People.Logout(c.Request.Context(), p.sessions.GetString(c.Request.Context(), sessionID)); err != nil {
		p.fail(c, err)
		return
	}
	if err := p.sessions.Destroy(c.Request.Context()); err != nil {
		p.fail(c, err)
		return
	}
	back(c, "/login")
}

// preferences sets language and theme, for strangers too.
func (p *Pages) preferences(c *gin.Context) {
	const year = 365 * 24 * time.Hour
	if lang := c.PostForm("lang"); slices.Contains(i18n.Languages, lang) {
		p.setCookie(c, langCookie, lang, "/", year)
		if _, ok := p.known(c); ok {
			if err := p.o.People.SetLang(c.Request.Context(), lang); err != nil {
				p.fail(c, err)
				return
			}
		}
	}
	if theme := c.PostForm("theme"); slices.Contains(view.Themes, theme) {
		p.setCookie(c, themeCookie, theme, "/", year)
	}
	back(c, c.PostForm("return_to"))
}

// What is wrong with a field of people's forms.
var (
	textDiffers = provider.Text{EN: "The two passwords differ.", RU: "Пароли не совпадают."}
	textWeak    = provider.Text{EN: "Use 10 to 256 characters.", RU: "Нужно от 10 до 256 символов."}
	textLogin   = provider.Text{EN: "Enter a login, for example your e-mail address.", RU: "Введите логин, например адрес почты."}
	textPresent = provider.Text{EN: "This is not your present password.", RU: "Это не ваш текущий пароль."}
)
