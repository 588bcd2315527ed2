package access

import (
	"context"
	"errors"

	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
)

// requireKey is the setting that requires a second factor of all users.
const (
	requireKey = "require_second_factor"
	requireOn  = "yes"
	requireOff = "no"
)

// RequireSecondFactor sets whether all users who log in with a password need a second
// factor.
func (a *Access) RequireSecondFactor(ctx context.Context, on bool) error {
	value := requireOff
	if on {
		value = requireOn
	}
	return a.store.SetSetting(ctx, requireKey, value)
}

// SecondFactorRequired reports the setting of RequireSecondFactor; false at first.
func (a *Access) SecondFactorRequired(ctx context.Context) (bool, error) {
	value, err := a.store.Setting(ctx, requireKey)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return value == requireOn, err
}

// LacksSecondFactor reports whether a person who logged in with a password needs a second
// factor and has none: neither codes nor a passkey.
func (a *Access) LacksSecondFactor(ctx context.Context, u peopledb.User) (bool, error) {
	needed, passkeys, err := a.passkeysInstead(ctx, u)
	return needed && passkeys == 0, err
}

// PasskeyIsTheFactor reports whether a person's password alone does not lead in,
// because a second factor is needed and theirs is a passkey, which they log in with.
func (a *Access) PasskeyIsTheFactor(ctx context.Context, u peopledb.User) (bool, error) {
	needed, passkeys, err := a.passkeysInstead(ctx, u)
	return needed && passkeys > 0, err
}

// passkeysInstead counts the passkeys of a user who needs a second factor and has no
// codes; needed is false for all others.
func (a *Access) passkeysInstead(ctx context.Context, u peopledb.User) (needed bool, passkeys int, err error) {
	if u.SecondFactor.On() {
		return false, 0, nil
	}
	if needed, err = a.SecondFactorRequired(ctx); err != nil || !needed {
		return false, 0, err
	}
	list, err := a.store.People.Passkeys(ctx, u.ID)
	return err == nil, len(list), err
}
