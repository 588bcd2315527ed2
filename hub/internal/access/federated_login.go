package access

import (
	"context"
	"errors"
	"time"

	"github.com/evergrant/evergrant/hub/internal/store"
)

// FederatedLogin finds the user that the sign-in service has authenticated. At the first
// login a verified e-mail address that is a login here or was invited identifies the
// person; else they become a user of the role joinAs, or are refused if it is empty. A
// person with a second factor is not logged in before SecondLogin. Errors:
// ErrUnknownPerson.
func (a *Access) FederatedLogin(ctx context.Context, who Identity, joinAs, lang string) (store.User, error) {
	u, err := a.store.UserByOIDC(ctx, who.Subject)
	if errors.Is(err, store.ErrNotFound) {
		u, err = a.firstFederatedLogin(ctx, who, joinAs, lang)
	}
	if err != nil {
		return u, err
	}
	if !u.DisabledAt.IsZero() {
		return u, ErrUnknownPerson
	}
	if u.SecondFactor.On() {
		return u, nil
	}
	u.LastLoginAt = time.Now()
	return u, a.store.NoteLogin(ctx, u.ID, u.LastLoginAt)
}

func (a *Access) firstFederatedLogin(ctx context.Context, who Identity, joinAs, lang string) (store.User, error) {
	if who.Email == "" {
		return store.User{}, ErrUnknownPerson
	}
	known, err := a.store.UserByLogin(ctx, who.Email)
	if err == nil {
		// A login that another person of the service has is not taken over.
		return a.store.ChangeUser(ctx, known.ID, RoleOwner, func(u *store.User) error {
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
	u := store.User{ID: store.NewID(), Login: who.Email, Name: who.Name, Role: joinAs, Lang: lang, CreatedAt: now, UpdatedAt: now, OIDCSubject: who.Subject}
	invited, err := a.store.InvitationOf(ctx, who.Email, now)
	switch {
	case err == nil:
		u.Role = invited.Role
		return u, a.store.AcceptInvitation(ctx, invited.Hash, now, u)
	case !errors.Is(err, store.ErrNotFound):
		return u, err
	case joinAs == "":
		return u, ErrUnknownPerson
	}
	return u, a.store.CreateUser(ctx, u)
}
