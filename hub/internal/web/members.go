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
)

// peoplePages invite people, change their roles and take their access away.
type peoplePages struct {
	*kit
	people *people.People
}

func newPeoplePages(k *kit, o Options) *peoplePages {
	return &peoplePages{kit: k, people: o.People}
}

func (p *peoplePages) routes(in inside) {
	manage := in.may(access.ActPeople)
	manage.GET("/people", p.list)
	manage.POST("/people/invite", p.invite)
	manage.POST("/people/invitations/:id/withdraw", p.withdrawInvitation)
	manage.POST("/people/:id/role", p.memberAct("flash.person_changed", func(c *gin.Context, id string) (peopledb.User, error) {
		return p.people.ChangeRole(c.Request.Context(), id, c.PostForm("role"))
	}))
	manage.POST("/people/:id/disable", p.memberAct("flash.person_disabled", onPerson(p.people.Disable)))
	manage.POST("/people/:id/enable", p.memberAct("flash.person_enabled", onPerson(p.people.Enable)))
	manage.POST("/people/:id/sign-out", p.memberAct("flash.person_signed_out", onPerson(p.people.SignOut)))
	manage.POST("/people/:id/forget-second-factor", p.proven, p.memberAct("flash.person_factor", onPerson(p.people.ForgetSecondFactor)))
	manage.POST("/people/:id/remove", p.memberAct("flash.person_removed", onPerson(p.people.Remove)))
	in.may(access.ActRequire).POST("/people/require-second-factor", p.proven, p.requireSecondFactor)
}

// onPerson is an act on a person for which nothing but the person is entered.
func onPerson(act func(ctx context.Context, id string) (peopledb.User, error)) func(*gin.Context, string) (peopledb.User, error) {
	return func(c *gin.Context, id string) (peopledb.User, error) { return act(c.Request.Context(), id) }
}

func (p *peoplePages) memberAct(key string, do func(c *gin.Context, id string) (peopledb.User, error)) gin.HandlerFunc {
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

func (p *peoplePages) list(c *gin.Context) {
	made, _ := takeShown[madeInvitation](p.kit, c, shownInvite)
	p.showPeople(c, http.StatusOK, view.People{Link: made.Link, Invited: made.Login})
}

func (p *peoplePages) showPeople(c *gin.Context, status int, v view.People) {
	ctx := c.Request.Context()
	actor, _ := person(c)
	all, err := p.people.Overview(ctx, i18n.From(ctx).Now)
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
	textTaken = i18n.Words{EN: "Somebody has this login already.", RU: "Такой логин уже есть."}
	textRole  = i18n.Words{EN: "Choose a role that you may give.", RU: "Выберите роль, которую вы можете дать."}
)

func (p *peoplePages) invite(c *gin.Context) {
	v := view.People{Login: c.PostForm("login"), Role: c.PostForm("role"), Problems: view.Problems{}}
	token, invitation, err := p.people.Invite(c.Request.Context(), v.Login, v.Role)
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
		if err := p.show(c, shownInvite, madeInvitation{Link: p.publicURL + "/invite?link=" + token, Login: invitation.Login}); err != nil {
			p.fail(c, err)
			return
		}
		back(c, "/people")
		return
	}
	p.showPeople(c, http.StatusUnprocessableEntity, v)
}

func (p *peoplePages) withdrawInvitation(c *gin.Context) {
	if err := p.people.WithdrawInvitation(c.Request.Context(), c.Param("id")); err != nil {
		p.fail(c, err)
		return
	}
	p.flash(c, view.Flash{Key: "flash.invitation_withdrawn"})
	back(c, "/people")
}

// requireSecondFactor sets whether everybody needs a second factor.
func (p *peoplePages) requireSecondFactor(c *gin.Context) {
	on, key := ticked(c, "require"), "flash.factor_not_required"
	if on {
		key = "flash.factor_required"
	}
	if err := p.people.RequireSecondFactor(c.Request.Context(), on); err != nil {
		p.fail(c, err)
		return
	}
	p.flash(c, view.Flash{Key: key})
	back(c, "/people")
}
