package store_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

func TestServiceComesBackAsItWasSaved(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		want := addService(t, s, "portal")
		want.CreatedAt, want.UpdatedAt = cut(noon), cut(noon)
		for _, read := range []func() (any, error){
			func() (any, error) { return s.Services.Service(t.Context(), want.ID) },
			func() (any, error) { return s.Services.ServiceByName(t.Context(), "portal") },
			func() (any, error) {
				all, err := s.Services.Services(t.Context())
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
		check(t, s.Services.ReplaceService(t.Context(), svc, noon))
		got, err := s.Services.Service(t.Context(), svc.ID)
		check(t, err)
		if got.Title != "Новый" || got.ClientSecret != "" || got.Options != nil || got.Description != nil || !got.CreatedAt.Equal(cut(noon)) || !got.UpdatedAt.Equal(cut(svc.UpdatedAt)) {
			t.Errorf("%#v", got)
		}
		svc.Name = "other"
		wantErr(t, s.Services.ReplaceService(t.Context(), svc, svc.UpdatedAt), store.ErrNameTaken)
		wantErr(t, s.Services.CreateService(t.Context(), newService("other")), store.ErrNameTaken)
		check(t, s.Services.DeleteService(t.Context(), svc.ID))
		wantErr(t, s.Services.DeleteService(t.Context(), svc.ID), store.ErrNotFound)
		wantErr(t, s.Services.ReplaceService(t.Context(), newService("gone"), noon), store.ErrNotFound)
		_, err = s.Services.Service(t.Context(), svc.ID)
		wantErr(t, err, store.ErrNotFound)
	})
}

// Hubs of versions before the mend do not name the column, whether they stored
// something before this one was there or run beside it.
func TestWhatEarlierVersionsStoreIsDoubtful(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		svc := addService(t, s, "portal")
		saved := policy.Policy{ID: store.NewID(), Title: "Ladder"}
		check(t, s.Notices.SavePolicy(t.Context(), saved, noon))
		doubtful := func() (bool, bool) {
			got, err := s.Services.ServiceByName(t.Context(), "portal")
			check(t, err)
			ladder, err := s.Notices.Policy(t.Context(), saved.ID)
			check(t, err)
			return got.Doubtful, ladder.Doubtful
		}
		if ofService, ofPolicy := doubtful(); ofService || ofPolicy {
			t.Errorf("what this version stores is doubtful: %t, %t", ofService, ofPolicy)
		}
		for table, columns := range map[string]string{
			"services":            "id, name, title, provider, client_id, secrets, scopes, redirect_uri, description, plugin_sum, created_at, updated_at",
			"escalation_policies": "id, title, rules, created_at, updated_at",
		} {
			store.Exec(t, s, "CREATE TEMPORARY TABLE kept AS SELECT "+columns+" FROM "+table)
			store.Exec(t, s, "DELETE FROM "+table)
			store.Exec(t, s, "INSERT INTO "+table+" ("+columns+") SELECT "+columns+" FROM kept")
			store.Exec(t, s, "DROP TABLE kept")
		}
		if ofService, ofPolicy := doubtful(); !ofService || !ofPolicy {
			t.Errorf("what an earlier version stores is doubtful: %t, %t", ofService, ofPolicy)
		}
		check(t, s.Services.ReplaceService(t.Context(), svc, svc.UpdatedAt))
		check(t, s.Notices.SavePolicy(t.Context(), saved, noon))
		if ofService, ofPolicy := doubtful(); ofService || ofPolicy {
			t.Errorf("what this version stores again is doubtful: %t, %t", ofService, ofPolicy)
		}
	})
}

// Whoever has made a change of what was read before does not undo a later one.
func TestAServiceIsNotReplacedOverALaterChange(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		svc := addService(t, s, "portal")
		was := svc.UpdatedAt
		svc.Title, svc.UpdatedAt = "edited", noon.Add(time.Minute)
		check(t, s.Services.ReplaceService(t.Context(), svc, was))
		svc.Title = "of what was read before"
		wantErr(t, s.Services.ReplaceService(t.Context(), svc, was), store.ErrStale)
		svc.Title = "of what is there"
		check(t, s.Services.ReplaceService(t.Context(), svc, noon.Add(time.Minute)))
		got, err := s.Services.Service(t.Context(), svc.ID)
		check(t, err)
		if got.Title != "of what is there" {
			t.Errorf("the service is %q", got.Title)
		}
	})
}
