package store_test

import (
	"errors"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

func newPasskey(userID, credentialID string) peopledb.Passkey {
	return peopledb.Passkey{
		ID: store.NewID(), UserID: userID, CredentialID: credentialID, Title: "Ноутбук", Credential: []byte(`{"count":0}`), CreatedAt: cut(noon),
	}
}

func TestAPasskeyBelongsToOnePerson(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		anna, boris := newUser("anna"), newUser("boris")
		check(t, s.People.CreateUser(t.Context(), anna))
		check(t, s.People.CreateUser(t.Context(), boris))
		want := newPasskey(anna.ID, "AbC-_1")
		check(t, s.People.CreatePasskey(t.Context(), want))
		wantErr(t, s.People.CreatePasskey(t.Context(), newPasskey(boris.ID, "AbC-_1")), store.ErrNameTaken)
		check(t, s.People.CreatePasskey(t.Context(), newPasskey(boris.ID, "abc-_1"))) // another one: letters count
		wantErr(t, s.People.CreatePasskey(t.Context(), newPasskey("nobody", "x")), store.ErrNotFound)

		got, err := s.People.PasskeyByCredential(t.Context(), "AbC-_1")
		check(t, err)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%+v", got)
		}
		_, err = s.People.PasskeyByCredential(t.Context(), "ABC-_1")
		wantErr(t, err, store.ErrNotFound)

		_, err = s.People.DeletePasskey(t.Context(), boris.ID, want.ID)
		wantErr(t, err, store.ErrNotFound)
		removed, err := s.People.DeletePasskey(t.Context(), anna.ID, want.ID)
		check(t, err)
		if removed.Title != want.Title {
			t.Errorf("%+v", removed)
		}
		counts, err := s.People.PasskeyCounts(t.Context())
		check(t, err)
		if !reflect.DeepEqual(counts, map[string]int{boris.ID: 1}) {
			t.Errorf("%v", counts)
		}
		check(t, s.People.DeleteUser(t.Context(), boris.ID))
		if list, err := s.People.Passkeys(t.Context(), boris.ID); err != nil || len(list) != 0 {
			t.Errorf("a passkey has outlived its person: %v %v", list, err)
		}
	})
}

func TestChangesOfAPasskeyFollowEachOther(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		u := newUser("anna")
		check(t, s.People.CreateUser(t.Context(), u))
		k := newPasskey(u.ID, "one")
		check(t, s.People.CreatePasskey(t.Context(), k))
		again := newPasskey(u.ID, "two")
		again.CreatedAt = cut(noon.Add(time.Hour))
		check(t, s.People.CreatePasskey(t.Context(), again))
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				err := s.People.ChangePasskey(t.Context(), k.ID, func(k *peopledb.Passkey) error {
					k.Title += "!"
					k.LastUsedAt = noon
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		refused := errors.New("refused")
		wantErr(t, s.People.ChangePasskey(t.Context(), k.ID, func(k *peopledb.Passkey) error {
			k.Title = "changed all the same"
			return refused
		}), refused)
		wantErr(t, s.People.ChangePasskey(t.Context(), "none", func(*peopledb.Passkey) error { return nil }), store.ErrNotFound)
		list, err := s.People.Passkeys(t.Context(), u.ID)
		check(t, err)
		if len(list) != 2 || list[0].Title != "Ноутбук!!!!!!!!" || !list[0].LastUsedAt.Equal(cut(noon)) || list[1].CredentialID != "two" {
			t.Errorf("%+v", list)
		}
		check(t, s.People.DeletePasskeys(t.Context(), u.ID))
		if list, err := s.People.Passkeys(t.Context(), u.ID); err != nil || len(list) != 0 {
			t.Errorf("%v %v", list, err)
		}
	})
}
