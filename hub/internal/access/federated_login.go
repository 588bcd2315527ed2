package access

import (
	"context"
	"errors"
	"time"

	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
)

// FederatedPerson finds the person that the sign-in service has authenticated; known is
// false for one who comes for the first time (FederatedJoin).
func (a *Access) FederatedPerson(ctx context.Context, who Identity) (u peopledb.User, known bool, err error) {
	u, err = a.store.People.UserByOIDC(ctx, who.Subject)
	if errors.Is(err, store.ErrNotFound) {
		return u, false, nil
	}
	return u, err == nil, err
}

// FederatedLogin logs in a person of FederatedPerson or FederatedJoin. One with a second
// factor is not logged in before SecondLogin. Errors: ErrUnknownPerson for one who is
// disabled.
func (a *Access) FederatedLogin(ctx context.Context, u peopledb.User) (peopledb.User, error) {
	if !u.DisabledAt.IsZero() {
		return u, ErrUnknownPerson
	}
	if u.SecondFactor.On() {
		return u, nil
	}
	u.LastLoginAt = time.Now()
	return u, a.store.People.NoteLogin(ctx, u.ID, u.LastLoginAt)
}

// FederatedJoin makes a person known by the sign-in service. A verified e-mail address that
// is a login here or was invited identifies them; else they become a user of the role
// joinAs, or are refused if it is empty. Errors: ErrUnknownPerson.
func (a *Access) FederatedJoin(ctx context.Context, who Identity, joinAs, lang string) (peopledb.User, error) {
	if who.Email == "" {
		return peopledb.User{}, ErrUnknownPerson
	}
	known, err := a.store.People.UserByLogin(ctx, who.Email)
	if err == nil {
		// A login that another person of the service has is not taken over.
		return a.store.People.ChangeUser(ctx, known.ID, RoleOwner, func(u *peopledb.User) error {
			if u.OIDCSubject != "" {
				return ErrUnknownPerson
			}
			u.OIDCSubject, u.UpdatedAt = who.Subject, time.Now()
			return nil
		})
	}
	if !errors.Is(err, store.ErrNotFound) {
		return known, err
	}
	now := time.Now()
	u := peopledb.User{ID: store.NewID(), Login: who.Email, Name: who.Name, Role: joinAs, Lang: lang, CreatedAt: now, UpdatedAt: now, OIDCSubject: who.Subject}
	invited, err := a.store.People.InvitationOf(ctx, who.Email, now)
	switch {
	case err == nil:
		u.Role = invited.Role
		return u, a.store.People.AcceptInvitation(ctx, invited.Hash, now, u)
	case !errors.Is(err, store.ErrNotFound):
		return u, err
	case joinAs == "":
		return u, ErrUnknownPerson
	}
	return u, a.store.People.CreateUser(ctx, u)
}
