package keyring

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/keydb"
	"github.com/evergrant/evergrant/sdk/provider"
)

// Times of replacing a key.
const (
	// Lead is how long a new version of a signing key is published before it is used.
	Lead = time.Hour
	// Overlap is how long a replaced one stays published.
	Overlap = 30 * 24 * time.Hour
)

// Keyring keeps keys of services. It is safe for concurrent use.
type Keyring struct {
	store  *store.Store
	nonces *nonces
}

// New returns the Keyring of a store.
func New(st *store.Store) *Keyring { return &Keyring{store: st, nonces: newNonces()} }

// MissingError is a key that the service needs and the hub does not have.
type MissingError struct {
	Service, Key string
	// Declared is set if the service's description names the key.
	Declared bool
}

// Error implements error.
func (e *MissingError) Error() string {
	if !e.Declared {
		return fmt.Sprintf("the plugin of %s named a key %q, which its description does not declare", e.Service, e.Key)
	}
	return fmt.Sprintf("the service %s has no key %q yet; make or import it on the page of the service", e.Service, e.Key)
}

// Refusal implements act.RefusalError: it is a matter of what the service has.
func (e *MissingError) Refusal() bool { return true }

// RemovedError is a key that a grant is bound to and that was removed.
type RemovedError struct{ Service, KeyID string }

// Error implements error.
func (e *RemovedError) Error() string {
	return fmt.Sprintf("the key %s of %s, to which the grant is bound, was removed; a person has to authorize again", e.KeyID, e.Service)
}

// Refusal implements act.RefusalError.
func (e *RemovedError) Refusal() bool { return true }

// InUse returns the version of a key that is used now: the newest whose time has come, or,
// if every one is still to come, the oldest.
func InUse(versions []keydb.Key, now time.Time) (keydb.Key, bool) {
	for _, k := range versions {
		if !k.UsedFrom.After(now) {
			return k, true
		}
	}
	if len(versions) == 0 {
		return keydb.Key{}, false
	}
	return versions[len(versions)-1], true
}

// key returns the version of a key to use: the pinned one, or else the one in use. A key
// that only the hub can make is made when it is first needed. Errors: *MissingError.
func (r *Keyring) key(ctx context.Context, svc service.Service, name, pinned string, use provider.KeyUse) (keydb.Key, error) {
	d, ok := svc.Key(name)
	missing := &MissingError{Service: svc.Name, Key: name, Declared: ok}
	if !ok {
		return keydb.Key{}, missing
	}
	if d.Use != use {
		return keydb.Key{}, fmt.Errorf("the key %q of %s is for %s, not for %s", name, svc.Name, d.Use, use)
	}
	versions, err := r.store.Keys.Versions(ctx, svc.ID, name)
	if err != nil {
		return keydb.Key{}, err
	}
	if pinned != "" {
		i := slices.IndexFunc(versions, func(k keydb.Key) bool { return k.KeyID == pinned })
		if i < 0 {
			return keydb.Key{}, &RemovedError{Service: svc.Name, KeyID: pinned}
		}
		return versions[i], nil
	}
	if k, ok := InUse(versions, time.Now()); ok {
		return k, nil
	}
	if d.Origin != provider.KeyFromHub {
		return keydb.Key{}, missing
	}
	return r.Make(ctx, svc, name)
}

// Ensure makes the keys of a service that only the hub can make, so that their public
// parts can be registered before they are used.
func (r *Keyring) Ensure(ctx context.Context, svc service.Service) error {
	if svc.Description == nil {
		return nil
	}
	for _, d := range svc.Description.Keys {
		if d.Origin != provider.KeyFromHub {
			continue
		}
		if _, err := r.key(ctx, svc, d.Name, "", d.Use); err != nil {
			return fmt.Errorf("make the key %s of %s: %w", d.Name, svc.Name, err)
		}
	}
	return nil
}

// Keys returns all versions of a service's keys, by name, the newest first.
func (r *Keyring) Keys(ctx context.Context, serviceID string) ([]keydb.Key, error) {
	return r.store.Keys.OfService(ctx, serviceID)
}

// Remove deletes one version of a key at once: what it has signed is not accepted any more
// once services have read the published set again, and grants that are bound to it cannot
// be renewed. Errors: store.ErrNotFound.
func (r *Keyring) Remove(ctx context.Context, svc service.Service, name, keyID string) error {
	return r.store.Keys.Delete(ctx, svc.ID, name, keyID)
}

// add stores the next version of a key. Another replica may do so at the same time.
func (r *Keyring) add(ctx context.Context, svc service.Service, d provider.Key, k keydb.Key) (keydb.Key, error) {
	for range 5 {
		versions, err := r.store.Keys.Versions(ctx, svc.ID, d.Name)
		if err != nil {
			return k, err
		}
		now := time.Now()
		k.ID, k.ServiceID, k.Name, k.Use = store.NewID(), svc.ID, d.Name, d.Use
		k.Serial, k.CreatedAt, k.UsedFrom = 1, now, now
		if len(versions) > 0 {
			k.Serial = versions[0].Serial + 1
			if k.Origin == provider.KeyFromHub && d.Use == provider.KeySignature {
				k.UsedFrom = now.Add(Lead)
			}
		}
		if err = r.store.Keys.Add(ctx, k); !errors.Is(err, store.ErrNameTaken) {
			return k, err
		}
	}
	return k, store.ErrNameTaken
}
