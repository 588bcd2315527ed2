package web

import (
	"context"
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/web/i18n"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
	"github.com/evergrant/evergrant/sdk/provider"
)

func personObject(u store.User) audit.Object { return audit.Object{Kind: "person", Name: u.Login} }

// registerPeople is for those who manage others.
func (p *Pages) registerPeople(in *gin.RouterGroup) {
	in.GET("/people", p.people)
	in.POST("/people/invite", p.invite)
	in.POST("/people/invitations/:id/withdraw", p.withdrawInvitation)
	in.POST("/people/:id/role", p.memberAct("person.role", "flash.person_changed", func(c *gin.Context, actor store.User, id string) (store.User, error) {
		return p.o.Access.ChangeRole(c.Request.Context(), actor, id, c.PostForm("role"))
	}))
	in.POST("/people/:id/disable", p.memberAct("person.disable", "flash.person_disabled", func(c *gin.Context, actor store.User, id string) (store.User, error) {
		return p.o.Access.Disable(c.Request.Context(), actor, id, true)
	}))
	in.POST("/people/:id/enable", p.memberAct("person.enable", "flash.person_enabled", func(c *gin.Context, actor store.User, id string) (store.User, error) {
		return p.o.Access.Disable(c.Request.Context(), actor, id, false)
	}))
	in.POST("/people/:id/sign-out", p.memberAct("person.sign_out", "flash.person_signed_out", p.named(p.o.Access.SignOut)))
	in.POST("/people/:id/forget-second-factor", p.proven, p.memberAct("person.forget_second_factor", "flash.person_factor", p.named(p.o.Access.ForgetSecondFactor)))
	in.POST("/people/:id/remove", p.memberAct("person.remove", "flash.person_removed", p.named(p.o.Access.Remove)))
}

// named makes of an act one that knows whom it was about.
func (p *Pages) named(act func(ctx context.Context, actor store.User, id string) error) func(*gin.Context, store.User, string) (store.User, error) {
	return func(c *gin.Context, actor store.User, id string) (store.User, error) {
		u, err := p.o.Store.User(c.Request.Context(), id)
		if err != nil {
			return u, err
		}
		return u, act(c.Request.Context(), actor, id)
	}
}

func (p *Pages) memberAct(act, key string, do func(c *gin.Context, actor store.User, id string) (store.User, error)) gin.HandlerFunc {
	return func(c *gin.Context) {
		actor, _ := person(c)
		u, err := do(c, actor, c.Param("id"))
		switch {
		case errors.Is(err, store.ErrLastOwner):
			p.flash(c, view.Flash{Key: "flash.last_owner", Bad: true})
		case errors.Is(err, access.ErrMayNot), errors.Is(err, access.ErrRole):
			p.flash(c, view.Flash{Key: "flash.may_not", Bad: true})
		case err != nil:
			p.fail(c, err)
			return
		default:
			p.o.Audit.Record(c.Request.Context(), act, personObject(u), "role", u.Role)
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
	users, err := p.o.Store.Users(ctx)
	if err != nil {
		p.fail(c, err)
		return
	}
	invitations, err := p.o.Store.Invitations(ctx, i18n.From(ctx).Now)
	if err != nil {
		p.fail(c, err)
		return
	}
	passkeys, err := p.o.Store.PasskeyCounts(ctx)
	if err != nil {
		p.fail(c, err)
		return
	}
	if v.Required, err = p.o.Access.SecondFactorRequired(ctx); err != nil {
		p.fail(c, err)
		return
	}
	var roles []string
	for _, role := range access.Roles {
		if access.MayChange(actor.Role, role) {
			roles = append(roles, role)
		}
	}
	for _, u := range users {
		left, err := p.o.Store.LeavingOf(ctx, u, i18n.From(ctx).Now)
		if err != nil {
			p.fail(c, err)
			return
		}
		v.People = append(v.People, view.Member{
			ID: u.ID, Login: u.Login, Name: u.Name, Role: u.Role, Disabled: !u.DisabledAt.IsZero(), SecondFactor: u.SecondFactor.On(), Passkeys: passkeys[u.ID],
			LastLoginAt: u.LastLoginAt, Self: u.ID == actor.ID, Changeable: access.MayChange(actor.Role, u.Role), Roles: roles,
			Keys: left.Keys, Invitations: left.Invitations, Links: left.Links,
		})
	}
	for _, i := range invitations {
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
	actor, _ := person(c)
	v := view.People{Login: c.PostForm("login"), Role: c.PostForm("role"), Problems: view.Problems{}}
	token, invitation, err := p.o.Access.Invite(c.Request.Context(), actor, v.Login, v.Role)
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
		p.o.Audit.Record(c.Request.Context(), "person.invite", audit.Object{Kind: "person", Name: invitation.Login}, "role", invitation.Role)
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
	if err := p.o.Store.DeleteInvitation(c.Request.Context(), c.Param("id")); err != nil && !errors.Is(err, store.ErrNotFound) {
		p.fail(c, err)
		return
	}
	p.o.Audit.Record(c.Request.Context(), "person.withdraw_invitation", audit.Object{Kind: "invitation", Name: c.Param("id")})
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
	u, err := p.o.Access.Accept(c.Request.Context(), v.Link, v.Name, password, i18n.Lang(c.Request.Context()))
	switch {
	case errors.Is(err, access.ErrWeakPassword):
		v.Problems["password"] = textWeak
	case errors.Is(err, access.ErrInvitation):
	case errors.Is(err, access.ErrLoginTaken):
		v.Problems["name"] = textTaken
	case p.tooBusy(c, err):
		return
	case err != nil:
		p.fail(c, err)
		return
	default:
		p.enter(c, u, byPassword, "/")
		return
	}
	p.showInvite(c, http.StatusUnprocessableEntity, v)
}
