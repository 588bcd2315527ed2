package store_test

import (
	"reflect"
	"testing"

	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

func TestServiceComesBackAsItWasSaved(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		want := addService(t, s, "portal")
		want.CreatedAt, want.UpdatedAt = cut(noon), cut(noon)
		for _, read := range []func() (any, error){
			func() (any, error) { return s.Service(t.Context(), want.ID) },
			func() (any, error) { return s.ServiceByName(t.Context(), "portal") },
			func() (any, error) {
				all, err := s.Services(t.Context())
				check(t, err)
				return all[0], nil
			},
		} {
			got, err := read()
			check(t, err)
			if !reflect.DeepEqual(got, want) {
				t.Errorf("came back changed: %#v", got)
			}
		}
	})
}

func TestServiceIsChangedAndDeleted(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		svc := addService(t, s, "portal")
		addService(t, s, "other")
		svc.Title, svc.ClientSecret, svc.Options, svc.Scopes, svc.Description = "Новый", "", nil, nil, nil
		svc.UpdatedAt = noon.AddDate(0, 0, 1)
		check(t, s.UpdateService(t.Context(), svc))
		got, err := s.Service(t.Context(), svc.ID)
		check(t, err)
		if got.Title != "Новый" || got.ClientSecret != "" || got.Options != nil || got.Description != nil || !got.CreatedAt.Equal(cut(noon)) || !got.UpdatedAt.Equal(cut(svc.UpdatedAt)) {
			t.Errorf("%#v", got)
		}
		svc.Name = "other"
		wantErr(t, s.UpdateService(t.Context(), svc), store.ErrNameTaken)
		wantErr(t, s.CreateService(t.Context(), newService("other")), store.ErrNameTaken)
		check(t, s.DeleteService(t.Context(), svc.ID))
		wantErr(t, s.DeleteService(t.Context(), svc.ID), store.ErrNotFound)
		wantErr(t, s.UpdateService(t.Context(), newService("gone")), store.ErrNotFound)
		_, err = s.Service(t.Context(), svc.ID)
		wantErr(t, err, store.ErrNotFound)
	})
}
