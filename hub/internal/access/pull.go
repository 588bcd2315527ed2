package access

import (
	"context"
	"slices"
	"time"

	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
)

// MayPull decides whether the key of a pull from an address may have the token of its
// connection. A key that may not learns nothing of the connection, not even whether it
// exists; one that may pull all learns that a name is wrong. Errors: ErrBadKey, ErrAddress,
// ErrForbidden, ErrNotForKey, store.ErrNotFound.
func MayPull(row store.PullRow, address string, now time.Time) error {
	key := peopledb.APIKey{ID: row.Key.ID, Scopes: row.Key.Scopes, AllConnections: row.Key.AllConnections, ExpiresAt: row.Key.ExpiresAt, RevokedAt: row.Key.RevokedAt}
	seesAll := MayAdminister(key) || (key.AllConnections && slices.Contains(key.Scopes, ScopeTokenRead))
	switch {
	case !row.KeyFound, Usable(key, now) != nil:
		return ErrBadKey
	case UsableFrom(row.Key.Addresses, address) != nil:
		return ErrAddress
	case !row.ConnectionFound && seesAll:
		return store.ErrNotFound
	case seesAll:
		return nil
	case !slices.Contains(key.Scopes, ScopeTokenRead):
		return ErrForbidden
	case !row.ConnectionFound || !opens(key.AllConnections, row.Named, row.Tag != ""):
		return ErrNotForKey
	}
	return nil
}

// Opens reports whether a key opens a connection.
func (a *Access) Opens(ctx context.Context, k peopledb.APIKey, connectionID string) (bool, error) {
	named := slices.Contains(k.ConnectionIDs, connectionID)
	if named || k.AllConnections || len(k.Tags) == 0 {
		return opens(k.AllConnections, named, false), nil
	}
	tags, err := a.store.Grants.TagsOf(ctx, connectionID)
	return opens(false, false, slices.ContainsFunc(tags, func(tag string) bool { return slices.Contains(k.Tags, tag) })), err
}

// opens is the rule by which a key opens a connection: it opens all, names this one, or has
// a tag that the connection has.
func opens(all, named, tagged bool) bool { return all || named || tagged }
