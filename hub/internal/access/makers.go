package access

import (
	"context"
	"errors"
	"strings"

	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
)

// How an API key records its maker, beside the id of a person.
const (
	// MadeByHub is a command on the hub's own machine.
	MadeByHub = "hub"
	// madeByKey is the prefix of the id of another API key.
	madeByKey = "key:"
)

// MadeByKey is the maker of an API key that another one made.
func MadeByKey(id string) string { return madeByKey + id }

// mostMakers bounds how far a key is followed back to a person.
const mostMakers = 100

// MakerOf finds the person who made an API key, also by way of the keys that made it. hub
// is set if it was a command on the hub's own machine. Errors: store.ErrNotFound if the
// person is gone.
func (a *Access) MakerOf(ctx context.Context, k peopledb.APIKey) (u peopledb.User, hub bool, err error) {
	for range mostMakers {
		id, byKey := strings.CutPrefix(k.CreatedBy, madeByKey)
		switch {
		case k.CreatedBy == MadeByHub:
			return u, true, nil
		case !byKey:
			u, err = a.store.People.User(ctx, k.CreatedBy)
			return u, false, err
		}
		if k, err = a.store.People.APIKey(ctx, id); err != nil {
			return u, false, err
		}
	}
	return u, false, store.ErrNotFound
}

// KeyMay reports whether the person who made an API key may do an act; a command on the
// hub's own machine may.
func (a *Access) KeyMay(ctx context.Context, k peopledb.APIKey, act Act) (bool, error) {
	u, hub, err := a.MakerOf(ctx, k)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil && (hub || u.DisabledAt.IsZero() && May(u.Role, act)), err
}
