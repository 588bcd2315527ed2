package people

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
)

// Invite makes the token of a single-use link to become a person of a role. Errors:
// access.ErrEmptyLogin, access.ErrRole, access.ErrMayNot, access.ErrLoginTaken.
func (p *People) Invite(ctx context.Context, login, role string) (token string, i peopledb.Invitation, err error) {
	login = strings.TrimSpace(login)
	a := act.Act{Name: "person.invite", Needs: access.ActPeople, On: person(login[:min(len(login), access.MaxLogin)]), Detail: []string{"role", role}}
	err = p.o.Recorder.Change(ctx, a, func(ctx context.Context, _ *act.Entry) error {
		actor, err := p.actor(ctx)
		if err != nil {
			return err
		}
		token, i, err = p.o.Access.Invite(ctx, actor, login, role)
		return err
	})
	return token, i, err
}

// WithdrawInvitation withdraws an invitation; one that is spent or gone is no error.
func (p *People) WithdrawInvitation(ctx context.Context, id string) error {
	a := act.Act{Name: "person.withdraw_invitation", Needs: access.ActPeople, On: audit.Object{Kind: "invitation", Name: id}}
	return p.o.Recorder.Change(ctx, a, func(ctx context.Context, e *act.Entry) error {
		err := p.o.Store.People.DeleteInvitation(ctx, id)
		if errors.Is(err, store.ErrNotFound) {
			e.Unchanged()
			return nil
		}
		return err
	})
}

// ChangeRole gives a person another role. Errors: access.ErrMayNot, access.ErrRole,
// store.ErrLastOwner, store.ErrNotFound.
func (p *People) ChangeRole(ctx context.Context, id, role string) (peopledb.User, error) {
	return p.manage(ctx, act.Act{Name: "person.role", Detail: []string{"role", role}}, id, func(ctx context.Context, actor peopledb.User) error {
		_, err := p.o.Access.ChangeRole(ctx, actor, id, role)
		return err
	})
}

// Disable keeps a person from logging in and signs them out. Errors: access.ErrMayNot,
// store.ErrLastOwner, store.ErrNotFound.
func (p *People) Disable(ctx context.Context, id string) (peopledb.User, error) {
	return p.manage(ctx, act.Act{Name: "person.disable"}, id, func(ctx context.Context, actor peopledb.User) error {
		_, err := p.o.Access.Disable(ctx, actor, id, true)
		return err
	})
}

// Enable lets a person log in again. Errors: access.ErrMayNot, store.ErrNotFound.
func (p *People) Enable(ctx context.Context, id string) (peopledb.User, error) {
	return p.manage(ctx, act.Act{Name: "person.enable"}, id, func(ctx context.Context, actor peopledb.User) error {
		_, err := p.o.Access.Disable(ctx, actor, id, false)
		return err
	})
}

// SignOut ends all sessions of a person. Errors: access.ErrMayNot, store.ErrNotFound.
func (p *People) SignOut(ctx context.Context, id string) (peopledb.User, error) {
	return p.manage(ctx, act.Act{Name: "person.sign_out"}, id, func(ctx context.Context, actor peopledb.User) error {
		return p.o.Access.SignOut(ctx, actor, id)
	})
}

// ForgetSecondFactor removes the second factor and the passkeys of a person who has lost
// them. Errors: access.ErrMayNot, store.ErrNotFound.
func (p *People) ForgetSecondFactor(ctx context.Context, id string) (peopledb.User, error) {
	return p.manage(ctx, act.Act{Name: "person.forget_second_factor"}, id, func(ctx context.Context, actor peopledb.User) error {
		return p.o.Access.ForgetSecondFactor(ctx, actor, id)
	})
}

// Remove deletes a person. Errors: access.ErrMayNot, store.ErrLastOwner,
// store.ErrNotFound.
func (p *People) Remove(ctx context.Context, id string) (peopledb.User, error) {
	return p.manage(ctx, act.Act{Name: "person.remove"}, id, func(ctx context.Context, actor peopledb.User) error {
		return p.o.Access.Remove(ctx, actor, id)
	})
}

// manage does an act of a person on another one.
func (p *People) manage(ctx context.Context, a act.Act, id string, do func(ctx context.Context, actor peopledb.User) error) (u peopledb.User, err error) {
	a.Needs, a.On = access.ActPeople, person(id)
	err = p.o.Recorder.Change(ctx, a, func(ctx context.Context, e *act.Entry) error {
		if u, err = p.o.Store.People.User(ctx, id); err != nil {
			return err
		}
		e.Named(u.Login)
		if len(a.Detail) == 0 {
			e.Add("role", u.Role)
		}
		actor, err := p.actor(ctx)
		if err != nil {
			return err
		}
		return do(ctx, actor)
	})
	return u, err
}

// actor is the person who manages others; the hub itself acts as an owner. An API key
// manages nobody.
func (p *People) actor(ctx context.Context) (peopledb.User, error) {
	if act.From(ctx).Kind == audit.KindHub {
		return peopledb.User{Role: access.RoleOwner}, nil
	}
	return p.me(ctx)
}

// RequireSecondFactor sets whether all people who log in with a password need a second
// factor.
func (p *People) RequireSecondFactor(ctx context.Context, on bool) error {
	required := map[bool]string{true: "yes", false: "no"}[on]
	a := act.Act{Name: "person.require_second_factor", Needs: access.ActRequire, On: person("everybody"), Detail: []string{"required", required}}
	return p.o.Recorder.Change(ctx, a, func(ctx context.Context, _ *act.Entry) error {
		return p.o.Access.RequireSecondFactor(ctx, on)
	})
}

// left records what was withdrawn with a person who was removed, disabled or demoted, in
// the transaction of that act.
func (p *People) left(ctx context.Context, u peopledb.User, l peopledb.Leaving) error {
	a := act.Act{Name: "person.withdraw", On: person(u.Login), Detail: []string{
		"keys", strings.Join(l.Keys, ", "), "invitations", strings.Join(l.Invitations, ", "), "links", strconv.Itoa(l.Links),
	}}
	return p.o.Recorder.Change(ctx, a, func(context.Context, *act.Entry) error { return nil })
}
