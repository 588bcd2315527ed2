package access

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub/internal/randtoken"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
)

// invitationLife is how long an invitation can be accepted.
const invitationLife = 7 * 24 * time.Hour

// Errors of the management of people.
var (
	// ErrMayNot is an act on a person that the actor's role does not allow.
	ErrMayNot = rule("your role does not allow this; ask an owner of the hub")
	// ErrRole is a role that there is not.
	ErrRole = rule("there is no such role")
	// ErrInvitation is an invitation that is spent, withdrawn, or too old.
	ErrInvitation = rule("this invitation is spent or too old; ask for another one")
	// ErrLoginTaken is a login that exists already.
	ErrLoginTaken = rule("somebody has this login already")
)

// Invite makes the token of a single-use link to become a user of a role.
func (a *Access) Invite(ctx context.Context, actor peopledb.User, login, role string) (token string, _ peopledb.Invitation, err error) {
	login = strings.TrimSpace(login)
	switch {
	case login == "" || len(login) > MaxLogin:
		return "", peopledb.Invitation{}, ErrEmptyLogin
	case !slices.Contains(Roles, role):
		return "", peopledb.Invitation{}, ErrRole
	case !MayChange(actor.Role, role):
		return "", peopledb.Invitation{}, ErrMayNot
	}
	if _, err := a.store.People.UserByLogin(ctx, login); err == nil {
		return "", peopledb.Invitation{}, ErrLoginTaken
	}
	now := time.Now()
	token = randtoken.New()
	i := peopledb.Invitation{
		ID: store.NewID(), Hash: randtoken.Hash(token), Login: login, Role: role, CreatedBy: actor.Login, CreatedAt: now, ExpiresAt: now.Add(invitationLife),
	}
	return token, i, a.store.People.CreateInvitation(ctx, i)
}

// Invitation finds what a link's token invites to, without spending it.
func (a *Access) Invitation(ctx context.Context, token string) (peopledb.Invitation, error) {
	i, err := a.store.People.Invitation(ctx, randtoken.Hash(token), time.Now())
	if errors.Is(err, store.ErrNotFound) {
		return i, ErrInvitation
	}
	return i, err
}

// Accept spends an invitation and makes a person of NewPerson its user. Errors:
// ErrInvitation, ErrLoginTaken.
func (a *Access) Accept(ctx context.Context, token string, u peopledb.User) (peopledb.User, error) {
	i, err := a.Invitation(ctx, token)
	if err != nil {
		return peopledb.User{}, err
	}
	u.Login, u.Role = i.Login, i.Role
	err = a.store.People.AcceptInvitation(ctx, i.Hash, time.Now(), u)
	switch {
	case errors.Is(err, store.ErrNameTaken):
		return u, ErrLoginTaken
	case errors.Is(err, store.ErrNotFound):
		return u, ErrInvitation
	}
	return u, err
}

// ChangeRole gives a person another role. A lower one withdraws what they could do more
// by: their keys that may do everything, invitations and links. Errors: ErrMayNot, ErrRole,
// store.ErrLastOwner.
func (a *Access) ChangeRole(ctx context.Context, actor peopledb.User, userID, role string) (peopledb.User, error) {
	if !slices.Contains(Roles, role) {
		return peopledb.User{}, ErrRole
	}
	u, left, err := a.store.People.LeaveUser(ctx, userID, RoleOwner, func(u *peopledb.User) (bool, error) {
		if !MayChange(actor.Role, u.Role) || !MayChange(actor.Role, role) {
			return false, ErrMayNot
		}
		demoted := slices.Index(Roles, role) > slices.Index(Roles, u.Role)
		u.Role, u.UpdatedAt = role, time.Now()
		return demoted, nil
	})
	if err != nil {
		return u, err
	}
	return u, a.left(ctx, u, left)
}

// OnLeft sets the function that is called with what was withdrawn with a person, within
// the transaction of the act. Call it before the first act.
func (a *Access) OnLeft(told func(ctx context.Context, u peopledb.User, l peopledb.Leaving) error) {
	a.left = func(ctx context.Context, u peopledb.User, l peopledb.Leaving) error {
		if l.Empty() {
			return nil
		}
		return told(ctx, u, l)
	}
}

// Disable keeps a person from logging in, signs them out and withdraws the credentials by
// which they could return, or enables them again.
func (a *Access) Disable(ctx context.Context, actor peopledb.User, userID string, disabled bool) (peopledb.User, error) {
	u, left, err := a.store.People.LeaveUser(ctx, userID, RoleOwner, func(u *peopledb.User) (bool, error) {
		if !MayChange(actor.Role, u.Role) {
			return false, ErrMayNot
		}
		u.DisabledAt, u.UpdatedAt = time.Time{}, time.Now()
		if disabled {
			u.DisabledAt = time.Now()
		}
		return disabled, nil
	})
	if err != nil || !disabled {
		return u, err
	}
	return u, errors.Join(a.left(ctx, u, left), a.store.People.EndUserSessions(ctx, userID, "", ""))
}

// SignOut ends all sessions of a person.
func (a *Access) SignOut(ctx context.Context, actor peopledb.User, userID string) error {
	u, err := a.store.People.User(ctx, userID)
	if err != nil {
		return err
	}
	if !MayChange(actor.Role, u.Role) {
		return ErrMayNot
	}
	return a.store.People.EndUserSessions(ctx, userID, "", "")
}

// ForgetSecondFactor removes the second factor and the passkeys of a person who has lost
// them.
func (a *Access) ForgetSecondFactor(ctx context.Context, actor peopledb.User, userID string) error {
	u, err := a.store.People.User(ctx, userID)
	if err != nil {
		return err
	}
	if !MayChange(actor.Role, u.Role) {
		return ErrMayNot
	}
	if err := a.store.People.DeletePasskeys(ctx, userID); err != nil {
		return err
	}
	return a.DropSecondFactor(ctx, userID, "")
}

// Remove deletes a person. What they did stays in the audit record.
func (a *Access) Remove(ctx context.Context, actor peopledb.User, userID string) error {
	u, err := a.store.People.User(ctx, userID)
	if err != nil {
		return err
	}
	if !MayChange(actor.Role, u.Role) {
		return ErrMayNot
	}
	u, left, err := a.store.People.RemoveLeaving(ctx, userID, RoleOwner)
	if err != nil {
		return err
	}
	return a.left(ctx, u, left)
}
