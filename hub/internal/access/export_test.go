package access

import (
	"context"

	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
)

// SetupWith sets up as the act does: the person first, and then the row.
func (a *Access) SetupWith(ctx context.Context, token, login, name, password, lang string) (peopledb.User, error) {
	u, err := a.NewPerson(ctx, login, name, password, lang)
	if err != nil {
		return u, err
	}
	return a.Setup(ctx, token, u)
}

// AcceptWith accepts an invitation as the act does.
func (a *Access) AcceptWith(ctx context.Context, token, name, password, lang string) (peopledb.User, error) {
	i, err := a.Invitation(ctx, token)
	if err != nil {
		return peopledb.User{}, err
	}
	u, err := a.NewPerson(ctx, i.Login, name, password, lang)
	if err != nil {
		return u, err
	}
	return a.Accept(ctx, token, u)
}

// ChangePasswordWith changes a password as the act does.
func (a *Access) ChangePasswordWith(ctx context.Context, userID, present, next string) error {
	was, hash, err := a.NextPassword(ctx, userID, present, next)
	if err != nil {
		return err
	}
	return a.ChangePassword(ctx, userID, was, hash)
}

// DropSecondFactorWith takes the second factor away from a person who shows a password.
func (a *Access) DropSecondFactorWith(ctx context.Context, userID, present string) error {
	was, err := a.CheckPresent(ctx, userID, present)
	if err != nil {
		return err
	}
	return a.DropSecondFactor(ctx, userID, was)
}
