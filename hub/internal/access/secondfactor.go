package access

import (
	"context"
	"errors"
	"time"

	"github.com/evergrant/evergrant/hub/internal/store"
)

// ErrWrongCode is a code that is not right, was used before, or is too old.
var ErrWrongCode = errors.New("the code is not right; wait for the next one and enter that")

// ConfirmSecondFactor asks for a code of a new secret and, if it is right, asks for
// codes at each login from now on. It returns recovery codes, which are shown once.
func (a *Access) ConfirmSecondFactor(ctx context.Context, userID string, secret []byte, code string) ([]string, error) {
	now := time.Now()
	factor := store.SecondFactor{Secret: secret}
	if !takeCode(&factor, code, now) {
		return nil, ErrWrongCode
	}
	codes, hashes := newRecovery()
	factor.Recovery = hashes
	_, err := a.store.ChangeUser(ctx, userID, RoleOwner, func(u *store.User) error {
		u.SecondFactor, u.UpdatedAt = factor, now
		return nil
	})
	return codes, err
}

// DropSecondFactor asks for a password alone again. The person shows the password,
// or somebody who may change them decides (present is then not asked).
func (a *Access) DropSecondFactor(ctx context.Context, userID, present string, ask bool) error {
	_, err := a.store.ChangeUser(ctx, userID, RoleOwner, func(u *store.User) error {
		if ask {
			if fits, err := checkPassword(u.PasswordHash, present); err != nil || !fits {
				return ErrWrongLogin
			}
		}
		u.SecondFactor, u.UpdatedAt = store.SecondFactor{}, time.Now()
		return nil
	})
	return err
}

// SecondLogin checks the code of a person whose password was right. Codes are tried
// as slowly as passwords.
func (a *Access) SecondLogin(ctx context.Context, userID, code, from string) (store.User, error) {
	now := time.Now()
	keys := []string{"code " + userID, "from " + from}
	if wait := a.logins.wait(now, keys...); wait > 0 {
		return store.User{}, &TooManyError{RetryAfter: wait}
	}
	u, err := a.store.ChangeUser(ctx, userID, RoleOwner, func(u *store.User) error {
		if !takeCode(&u.SecondFactor, code, now) {
			return ErrWrongCode
		}
		u.LastLoginAt = now
		return nil
	})
	if errors.Is(err, ErrWrongCode) {
		a.logins.failed(now, keys...)
		return u, err
	}
	a.logins.forget(keys...)
	return u, err
}
