package keys

import (
	"context"
	"errors"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
)

// Key reads a key. Errors: store.ErrNotFound.
func (k *Keys) Key(ctx context.Context, id string) (peopledb.APIKey, error) {
	return k.o.Store.People.APIKey(ctx, id)
}

// List reads all keys, the newest first.
func (k *Keys) List(ctx context.Context) ([]peopledb.APIKey, error) {
	return k.o.Store.People.APIKeys(ctx)
}

// Opened reads connections that keys name, by id: the first most of each key, all if most
// is 0. One that is gone is missing.
func (k *Keys) Opened(ctx context.Context, keys []peopledb.APIKey, most int) (map[string]connection.Connection, error) {
	found := map[string]connection.Connection{}
	for _, key := range keys {
		ids := key.ConnectionIDs
		if most > 0 {
			ids = ids[:min(len(ids), most)]
		}
		for _, id := range ids {
			if _, known := found[id]; known {
				continue
			}
			c, err := k.o.Store.Grants.Connection(ctx, id)
			if errors.Is(err, store.ErrNotFound) {
				continue
			}
			if err != nil {
				return nil, err
			}
			found[id] = c
		}
	}
	return found, nil
}

// Tags reads the tags that a key can be given.
func (k *Keys) Tags(ctx context.Context) ([]string, error) {
	tags, err := k.o.Store.Grants.Tags(ctx)
	names := make([]string, 0, len(tags))
	for _, t := range tags {
		names = append(names, t.Tag)
	}
	return names, err
}
