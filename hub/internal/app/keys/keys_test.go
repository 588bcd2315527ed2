package keys_test

import (
	"errors"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/app/apptest"
	"github.com/evergrant/evergrant/hub/internal/app/keys"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

func TestEveryActIsRecorded(t *testing.T) {
	apptest.EveryActIsRecorded(t, "Keys", "Key", "List", "Opened", "Tags")
}

func each(t *testing.T, test func(t *testing.T, st *store.Store, k *keys.Keys)) {
	storetest.Each(t, func(t *testing.T, st *store.Store) {
		test(t, st, keys.New(keys.Options{Store: st, Access: access.New(st), Recorder: apptest.Recorder(st)}))
	})
}

func TestKeysAreMadeRotatedAndRevoked(t *testing.T) {
	each(t, func(t *testing.T, st *store.Store, k *keys.Keys) {
		ann := apptest.As(t, "ann", "u1", access.RoleAdministrator)
		made, err := k.Create(ann, keys.Draft{Title: " cron ", All: true})
		if err != nil || made.Secret == "" || made.Key.CreatedBy != "u1" {
			t.Fatalf("made %+v: %v", made.Key, err)
		}
		next, err := k.Rotate(ann, made.Key.ID, 0)
		if err != nil || next.Key.Replaces != made.Key.ID {
			t.Fatalf("rotated to %+v: %v", next.Key, err)
		}
		if err := k.Revoke(ann, next.Key.ID); err != nil {
			t.Fatal(err)
		}
		apptest.Want(t, st, "ann key.add done cron", "ann key.rotate done "+made.Key.ID, "ann key.revoke done "+next.Key.ID)
	})
}

func TestAKeyOfAKeyNamesItsMaker(t *testing.T) {
	each(t, func(t *testing.T, st *store.Store, k *keys.Keys) {
		first, err := k.Create(act.With(t.Context(), act.Hub()), keys.Draft{Title: "set-up", All: true, Scopes: []string{access.ScopeAdmin}, ExpiresAt: time.Now().Add(time.Hour)})
		if err != nil || first.Key.CreatedBy != access.MadeByHub {
			t.Fatalf("made by %q: %v", first.Key.CreatedBy, err)
		}
		byKey := act.With(t.Context(), act.Key(first.Key, "192.0.2.7"))
		second, err := k.Create(byKey, keys.Draft{Title: "robot", All: true})
		if err != nil || second.Key.CreatedBy != access.MadeByKey(first.Key.ID) {
			t.Fatalf("made by %q: %v", second.Key.CreatedBy, err)
		}
		apptest.Want(t, st, "key.add done set-up", "set-up key.add done robot")
		reader := act.With(t.Context(), act.Key(second.Key, ""))
		if _, err := k.Create(reader, keys.Draft{Title: "more", All: true}); !errors.Is(err, act.ErrNotAllowed) {
			t.Fatalf("a key that may only pull has made one: %v", err)
		}
		apptest.Want(t, st, "robot key.add refused more")
	})
}

func TestWhatIsWrongWithAKeyIsRefusedAndRecorded(t *testing.T) {
	each(t, func(t *testing.T, st *store.Store, k *keys.Keys) {
		ann, viewer := apptest.As(t, "ann", "u1", access.RoleAdministrator), apptest.As(t, "eve", "u2", access.RoleViewer)
		for want, d := range map[error]keys.Draft{
			access.ErrKeyTitle:   {All: true},
			access.ErrScope:      {Title: "x", All: true, Chosen: true},
			keys.ErrOpensNothing: {Title: "x", Chosen: true, Scopes: []string{access.ScopeTokenRead}, Connections: []string{"gone"}},
			store.ErrNotFound:    {Title: "x", Connections: []string{"gone"}},
			access.ErrKeyFrom:    {Title: "x", All: true, Addresses: []string{"nowhere"}},
		} {
			if _, err := k.Create(ann, d); !errors.Is(err, want) {
				t.Errorf("%v: %v", want, err)
			}
			apptest.Want(t, st, "ann key.add refused"+map[bool]string{true: "", false: " x"}[d.Title == ""])
		}
		if err := k.Revoke(ann, "nothing"); !errors.Is(err, store.ErrNotFound) {
			t.Error(err)
		}
		if err := k.Revoke(viewer, "nothing"); !errors.Is(err, act.ErrNotAllowed) {
			t.Error(err)
		}
		if _, err := k.Rotate(viewer, "nothing", 0); !errors.Is(err, act.ErrNotAllowed) {
			t.Error(err)
		}
		apptest.Want(t, st, "ann key.revoke refused nothing", "eve key.revoke refused nothing", "eve key.rotate refused nothing")
		if list, err := k.List(ann); err != nil || len(list) != 0 {
			t.Errorf("%d keys were made: %v", len(list), err)
		}
	})
}
