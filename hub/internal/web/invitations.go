package web

import (
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/people"
	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

func (p *loginPages) inviteForm(c *gin.Context) {
	p.showInvite(c, http.StatusOK, view.Invite{Link: c.Query("link")})
}

func (p *loginPages) showInvite(c *gin.Context, status int, v view.Invite) {
	i, err := p.access.Invitation(c.Request.Context(), v.Link)
	switch {
	case errors.Is(err, access.ErrInvitation):
		v, status = view.Invite{Spent: true}, http.StatusGone
	case err != nil:
		p.fail(c, err)
		return
	default:
		v.Login, v.Role = i.Login, i.Role
	}
	p.render(c, status, page.Invite(p.shell(c, ""), v))
}

func (p *loginPages) acceptInvite(c *gin.Context) {
	v := view.Invite{Link: c.PostForm("link"), Name: c.PostForm("name"), Problems: view.Problems{}}
	password := c.PostForm("password")
	if password != c.PostForm("repeat") {
		v.Problems["repeat"] = textDiffers
		p.showInvite(c, http.StatusUnprocessableEntity, v)
		return
	}
	in, err := p.people.Accept(p.stranger(c), v.Link, v.Name, password, i18n.Lang(c.Request.Context()))
	switch {
	case errors.Is(err, access.ErrWeakPassword):
		v.Problems["password"] = textWeak
	case errors.Is(err, access.ErrInvitation):
	case errors.Is(err, access.ErrLoginTaken):
		v.Problems["name"] = textTaken
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
	p.showInvite(c, http.StatusUnprocessableEntity, v)
}
