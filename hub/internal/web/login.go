package web

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/people"
	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

func (p *loginPages) setupForm(c *gin.Context) {
	p.showSetup(c, http.StatusOK, view.Setup{Link: c.Query("link")})
}

// showSetup shows the set-up page, or that its link was used.
func (p *loginPages) showSetup(c *gin.Context, status int, v view.Setup) {
	open, err := p.access.SetupOpen(c.Request.Context(), v.Link)
	if err != nil {
		p.fail(c, err)
		return
	}
	if !open {
		v, status = view.Setup{Spent: true}, http.StatusGone
	}
	p.render(c, status, page.Setup(p.shell(c, ""), v))
}

func (p *loginPages) setup(c *gin.Context) {
	v := view.Setup{Link: c.PostForm("link"), Login: c.PostForm("login"), Name: c.PostForm("name"), Problems: map[string]i18n.Words{}}
	password := c.PostForm("password")
	if password != c.PostForm("repeat") {
		v.Problems["repeat"] = textDiffers
		p.showSetup(c, http.StatusUnprocessableEntity, v)
		return
	}
	in, err := p.people.Setup(p.stranger(c), v.Link, v.Login, v.Name, password, i18n.Lang(c.Request.Context()))
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

func (p *loginPages) loginForm(c *gin.Context) {
	if _, ok := p.user(c); ok {
		back(c, "/")
		return
	}
	p.showLogin(c, http.StatusOK, view.Login{ReturnTo: c.Query("return_to"), Ended: c.Query("ended") != ""})
}

func (p *loginPages) showLogin(c *gin.Context, status int, v view.Login) {
	nobody, err := p.people.Nobody(c.Request.Context())
	if err != nil {
		p.fail(c, err)
		return
	}
	v.NotSetUp, v.Service = nobody, p.oidc.Title()
	v.Front = !nobody && p.front.anyPublished(c)
	v.Passkeys, v.Address = p.passkeys.Trouble() == "", p.publicURL
	p.render(c, status, page.Login(p.shell(c, ""), v))
}

func (p *loginPages) login(c *gin.Context) {
	v := view.Login{Login: c.PostForm("login"), ReturnTo: c.PostForm("return_to"), Ended: c.PostForm("ended") != ""}
	in, err := p.people.Login(p.stranger(c), v.Login, c.PostForm("password"), devices(c)...)
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

func (p *loginPages) logout(c *gin.Context) {
	if err := p.people.Logout(c.Request.Context(), p.sessions.GetString(c.Request.Context(), sessionID)); err != nil {
		p.fail(c, err)
		return
	}
	if err := p.sessions.Destroy(c.Request.Context()); err != nil {
		p.fail(c, err)
		return
	}
	back(c, "/login")
}

// preferences sets language and theme, also of visitors who are not signed in.
func (p *loginPages) preferences(c *gin.Context) {
	const year = 365 * 24 * time.Hour
	if lang := c.PostForm("lang"); slices.Contains(i18n.Languages, lang) {
		p.setCookie(c, langCookie, lang, "/", year)
		if _, ok := p.known(c); ok {
			if err := p.people.SetLang(c.Request.Context(), lang); err != nil {
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

// Problems of fields of people's forms.
var (
	textDiffers = i18n.Words{EN: "The two passwords differ.", RU: "Пароли не совпадают."}
	textWeak    = i18n.Words{EN: "Use 10 to 256 characters.", RU: "Нужно от 10 до 256 символов."}
	textLogin   = i18n.Words{EN: "Enter a login, for example your e-mail address.", RU: "Введите логин, например адрес почты."}
	textPresent = i18n.Words{EN: "This is not your present password.", RU: "Это не ваш текущий пароль."}
)
