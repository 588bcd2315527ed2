package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/servicedb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

func TestAServiceIsPublishedUntilItIsTakenBackOrGone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		portal, other := addService(t, s, "portal"), addService(t, s, "other")
		if there, err := s.Services.AnyPublished(t.Context()); there || err != nil {
			t.Errorf("at first: %t %v", there, err)
		}
		check(t, s.Services.Publish(t.Context(), portal.ID, "anna", noon))
		check(t, s.Services.Publish(t.Context(), portal.ID, "boris", noon.Add(time.Hour))) // stays as it is
		check(t, s.Services.Publish(t.Context(), other.ID, "anna", noon))
		got, err := s.Services.Published(t.Context(), portal.ID)
		if err != nil || got.By != "anna" || !got.At.Equal(cut(noon)) {
			t.Errorf("%+v %v", got, err)
		}
		if list, err := s.Services.PublishedServices(t.Context()); err != nil || len(list) != 2 || list[0].Name != "other" {
			t.Errorf("%d are published: %v", len(list), err)
		}
		if err := s.Services.Publish(t.Context(), "none", "anna", noon); err == nil {
			t.Error("a service that there is not was published")
		}
		check(t, s.Services.Unpublish(t.Context(), portal.ID))
		check(t, s.Services.Unpublish(t.Context(), portal.ID))
		if _, err := s.Services.Published(t.Context(), portal.ID); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("taken back: %v", err)
		}
		check(t, s.Services.DeleteService(t.Context(), other.ID))
		if there, err := s.Services.AnyPublished(t.Context()); there || err != nil {
			t.Errorf("the service is gone: %t %v", there, err)
		}
	})
}

func TestTheFrontPageIsCountedByAddressAndInTotal(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		limit := servicedb.FrontLimit{PerAddress: 2, InTotal: 3, Within: time.Hour}
		use := func(kind, address string, after time.Duration) error {
			return s.Services.UseFront(t.Context(), kind, address, limit, noon.Add(after))
		}
		check(t, use(servicedb.FrontCodes, "a", 0))
		check(t, use(servicedb.FrontCodes, "a", time.Minute))
		if err := use(servicedb.FrontCodes, "a", 2*time.Minute); !errors.Is(err, servicedb.ErrTooOften) {
			t.Errorf("the third of an address: %v", err)
		}
		check(t, use(servicedb.FrontCodes, "b", 2*time.Minute))
		if err := use(servicedb.FrontCodes, "c", 2*time.Minute); !errors.Is(err, servicedb.ErrTooOften) {
			t.Errorf("the fourth of all: %v", err)
		}
		check(t, use(servicedb.FrontRequest, "a", 2*time.Minute)) // counted apart
		check(t, use(servicedb.FrontCodes, "c", time.Hour+time.Second))
		check(t, s.Services.PruneFrontUses(t.Context(), noon.Add(2*time.Hour)))
		check(t, use(servicedb.FrontCodes, "a", time.Hour+2*time.Second))
	})
}
