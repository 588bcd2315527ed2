package access

import (
	"context"
	"time"

	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
)

// ErrWrongCode is a code that is not right, was used before, or is too old.
var ErrWrongCode = rule("the code is not right; wait for the next one and enter that")

// ConfirmSecondFactor checks a code of a new secret and, if it is right, requires codes
// at each login from now on. It returns recovery codes, which are shown once.
func (a *Access) ConfirmSecondFactor(ctx context.Context, userID string, secret []byte, code string) ([]string, error) {
	now := time.Now()
	factor := peopledb.SecondFactor{Secret: secret}
	if !takeCode(&factor, code, now) {
		return nil, ErrWrongCode
	}
	codes, hashes := newRecovery()
	factor.Recovery = hashes
	_, err := a.store.People.ChangeUser(ctx, userID, RoleOwner, func(u *peopledb.User) error {
		u.SecondFactor, u.UpdatedAt = factor, now
		return nil
	})
	return codes, err
}

// DropSecondFactor requires a password alone again. The person has shown the password, of
// which was is what CheckPresent returned; or an administrator decides, and was is empty.
// Errors: ErrWrongLogin.
func (a *Access) DropSecondFactor(ctx context.Context, userID, was string) error {
	_, err := a.store.People.ChangeUser(ctx, userID, RoleOwner, func(u *peopledb.User) error {
		if was != "" && u.PasswordHash != was {
			return ErrWrongLogin // changed meanwhile
		}
		u.SecondFactor, u.UpdatedAt = peopledb.SecondFactor{}, time.Now()
		return nil
	})
	return err
}

// SecondLogin checks the code of a person whose password was right. from and devices are
// those of Login. Errors: ErrWrongCode, TooManyError.
func (a *Access) SecondLogin(ctx context.Context, userID, code, from string, devices ...string) (peopledb.User, error) {
	now := time.Now()
	t, err := a.codeTry(ctx, peopledb.User{ID: userID}, from, devices)
	if err != nil {
		return peopledb.User{}, err
	}
	if err := t.count(ctx); err != nil {
		return peopledb.User{}, err
	}
	if len(code) > maxCode {
		return peopledb.User{}, ErrWrongCode
	}
	u, err := a.store.People.ChangeUser(ctx, userID, RoleOwner, func(u *peopledb.User) error {
		if !takeCode(&u.SecondFactor, code, now) {
			return ErrWrongCode
		}
		u.LastLoginAt = now
		return nil
	})
	if err != nil {
		return u, err
	}
	return u, t.right(ctx)
}

// maxCode is the length of a code as people enter it, in bytes.
const maxCode = 64
