package services

import (
	"context"

	"github.com/go-jose/go-jose/v4"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store/keydb"
)

// Keys reads a service and the versions of its keys. Errors: store.ErrNotFound.
func (x *Services) Keys(ctx context.Context, name string) (s service.Service, keys []keydb.Key, err error) {
	if s, err = x.o.Store.Services.ServiceByName(ctx, name); err == nil {
		keys, err = x.o.Keyring.Keys(ctx, s.ID)
	}
	return s, keys, err
}

// PublicKeys returns the public parts of a service's keys, for anybody. Errors:
// store.ErrNotFound.
func (x *Services) PublicKeys(ctx context.Context, name string) (jose.JSONWebKeySet, error) {
	s, err := x.o.Store.Services.ServiceByName(ctx, name)
	if err != nil {
		return jose.JSONWebKeySet{}, err
	}
	return x.o.Keyring.Published(ctx, s.ID)
}

// MakeKey makes the next version of a key. Errors: *keyring.MissingError,
// *keyring.InvalidError, store.ErrNotFound.
func (x *Services) MakeKey(ctx context.Context, name, key string) (keydb.Key, error) {
	return x.changeKey(ctx, about("service.key_make", access.ActManage, name, "key", key), func(ctx context.Context, s service.Service) (keydb.Key, error) {
		return x.o.Keyring.Make(ctx, s, key)
	})
}

// ImportKey takes a key that was made elsewhere. Errors: as MakeKey.
func (x *Services) ImportKey(ctx context.Context, name, key, text string) (keydb.Key, error) {
	return x.changeKey(ctx, about("service.key_import", access.ActManage, name, "key", key), func(ctx context.Context, s service.Service) (keydb.Key, error) {
		return x.o.Keyring.Import(ctx, s, key, text)
	})
}

// RemoveKey deletes one version of a key at once. Errors: store.ErrNotFound.
func (x *Services) RemoveKey(ctx context.Context, name, key, keyID string) error {
	_, err := x.changeKey(ctx, about("service.key_remove", access.ActManage, name, "key", key), func(ctx context.Context, s service.Service) (keydb.Key, error) {
		return keydb.Key{KeyID: keyID}, x.o.Keyring.Remove(ctx, s, key, keyID)
	})
	return err
}

func (x *Services) changeKey(ctx context.Context, a act.Act, do func(context.Context, service.Service) (keydb.Key, error)) (k keydb.Key, err error) {
	err = x.o.Recorder.Change(ctx, a, func(ctx context.Context, e *act.Entry) error {
		s, err := x.o.Store.Services.ServiceByName(ctx, a.On.Name)
		if err != nil {
			return err
		}
		if k, err = do(ctx, s); err == nil {
			e.Add("kid", k.KeyID)
		}
		return err
	})
	return k, err
}
