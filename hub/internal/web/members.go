package web

import (
	"context"
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/people"
	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
	"github.com/evergrant/evergrant/sdk/provider"
)

// registerPeople is for those who manage others.
func (p *Pages) registerPeople(in *gin.RouterGroup) {
	in.GET("/people", p.people)
	in.POST("/people/invite", p.invite)
	in.POST("/people/invitations/:id/withdraw", p.withdrawInvitation)
	in.POST("/people/:id/role", p.memberAct("flash.person_changed", func(c *gin.Context, id string) (peopledb.User, error) {
		return p.o.People.ChangeRole(c.Request.Context(), id, c.PostForm("role"))
	}))
	in.POST("/people/:id/disable", p.memberAct("flash.person_disabled", onPerson(p.o.People.Disable)))
	in.POST("/people/:id/enable", p.memberAct("flash.person_enabled", onPerson(p.o.People.Enable)))
	in.POST("/people/:id/sign-out", p.memberAct("flash.person_signed_out", onPerson(p.o.People.SignOut)))
	in.POST("/people/:id/forget-second-factor", p.proven, p.memberAct("flash.person_factor", onPerson(p.o.People.ForgetSecondFactor)))
	in.POST("/people/:id/remove", p.memberAct("flash.person_removed", onPerson(p.o.People.Remove)))
}

// onPerson is an act on a person for which nothing but the person is entered.
func onPerson(act func(ctx context.Context, id string) (peopledb.User, error)) func(*gin.Context, string) (peopledb.User, error) {
	return func(c *gin.Context, id string) (peopledb.User, error) { return act(c.Request.Context(), id) }
}

func (p *Pages) memberAct(key string, do func(c *gin.Context, id string) (peopledb.User, error)) gin.HandlerFunc {
	return func(c *gin.Context) {
		u, err := do(c, c.Param("id"))
		switch {
		case errors.Is(err, peopledb.ErrLastOwner):
			p.flash(c, view.Flash{Key: "flash.last_owner", Bad: true})
		case errors.Is(err, access.ErrMayNot), errors.Is(err, access.ErrRole):
			p.flash(c, view.Flash{Key: "flash.may_not", Bad: true})
		case err != nil:
			p.fail(c, err)
			return
		default:
			p.flash(c, view.Flash{Key: key, Name: u.Login})
		}
		back(c, "/people")
	}
}

// madeInvitation is an invitation that was just made, for the page that shows its link.
type madeInvitation struct{ Link, Login string }

func (p *Pages) people(c *gin.Context) {
	made, _ := takeShown[madeInvitation](p, c, shownInvite)
	p.showPeople(c, http.StatusOK, view.People{Link: made.Link, Invited: made.Login})
}

func (p *Pages) showPeople(c *gin.Context, status int, v view.People) {
	ctx := c.Request.Context()
	actor, _ := person(c)
	all, err := p.o.People.Overview(ctx, i18n.From(ctx).Now)
	if err != nil {
		p.fail(c, err)
		return
	}
	v.Required = all.Required
	var roles []string
	for _, role := range access.Roles {
		if access.MayChange(actor.Role, role) {
			roles = append(roles, role)
		}
	}
	for _, u := range all.Users {
		left := all.Leaving[u.ID]
		v.People = append(v.People, view.Member{
			ID: u.ID, Login: u.Login, Name: u.Name, Role: u.Role, Disabled: !u.DisabledAt.IsZero(), SecondFactor: u.SecondFactor.On(), Passkeys: all.Passkeys[u.ID],
			LastLoginAt: u.LastLoginAt, Self: u.ID == actor.ID, Changeable: access.MayChange(actor.Role, u.Role), Roles: roles,
			Keys: left.Keys, Invitations: left.Invitations, Links: left.Links,
		})
	}
	for _, i := range all.Invitations {
		v.Invitations = append(v.Invitations, view.Invitation{ID: i.ID, Login: i.Login, Role: i.Role, By: i.CreatedBy, ExpiresAt: i.ExpiresAt})
	}
	p.render(c, status, page.People(p.shell(c, view.SectionPeople), v, roles))
}

// What is wrong with an invitation.
var (
	textTaken = provider.Text{EN: "Somebody has this login already.", RU: "Такой логин уже есть."}
	textRole  = provider.Text{EN: "Choose a role that you may give.", RU: "Выберите роль, которую вы можете дать."}
)

func (p *Pages) invite(c *gin.Context) {
	v := view.People{Login: c.PostForm("login"), Role: c.PostForm("role"), Problems: view.Problems{}}
	token, invitation, err := p.o.People.Invite(c.Request.Context(), v.Login, v.Role)
	switch {
	case errors.Is(err, access.ErrEmptyLogin):
		v.Problems["login"] = textLogin
	case errors.Is(err, access.ErrLoginTaken):
		v.Problems["login"] = textTaken
	case errors.Is(err, access.ErrRole), errors.Is(err, access.ErrMayNot):
		v.Problems["role"] = textRole
	case err != nil:
		p.fail(c, err)
		return
	default:
		if err := p.show(c, shownInvite, madeInvitation{Link: p.o.PublicURL + "/invite?link=" + token, Login: invitation.Login}); err != nil {
			p.fail(c, err)
			return
		}
		back(c, "/people")
		return
	}
	p.showPeople(c, http.StatusUnprocessableEntity, v)
}

func (p *Pages) withdrawInvitation(c *gin.Context) {
	if err := p.o.People.WithdrawInvitation(c.Request.Context(), c.Param("id")); err != nil {
		p.fail(c, err)
		return
	}
	p.flash(c, view.Flash{Key: "flash.invitation_withdrawn"})
	back(c, "/people")
}

func (p *Pages) inviteForm(c *gin.Context) {
	p.showInvite(c, http.StatusOK, view.Invite{Link: c.Query("link")})
}

func (p *Pages) showInvite(c *gin.Context, status int, v view.Invite) {
	i, err := p.o.Access.Invitation(c.Request.Context(), v.Link)
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

func (p *Pages) acceptInvite(c *gin.Context) {
	v := view.Invite{Link: c.PostForm("link"), Name: c.PostForm("name"), Problems: view.Problems{}}
	password := c.PostForm("password")
	if password != c.PostForm("repeat") {
		v.Problems["repeat"] = textDiffers
		p.showInvite(c, http.StatusUnprocessableEntity, v)
		return
	}
	in, err := p.o.People.Accept(p.stranger(c), v.Link, v.Name, password, i18n.Lang(c.Request.Context()))
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
