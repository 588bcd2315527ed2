package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
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

func TestARequestForAServiceIsToldAndDecidedOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		check(t, s.People.SaveContact(t.Context(), policy.Contact{ID: "desk", Title: "Desk", TakesRest: true, Addresses: []policy.Address{{Channel: "mail", To: "x"}}}, noon))
		first := noticedb.ServiceRequest{ID: "1", Service: "Avito", Purpose: "orders", Contact: "@anna", Source: noticedb.RequestByFront, Address: "192.0.2.1", CreatedAt: cut(noon)}
		check(t, s.Notices.CreateServiceRequest(t.Context(), first))
		second := first
		second.ID, second.CreatedAt = "2", cut(noon).Add(time.Minute)
		check(t, s.Notices.CreateServiceRequest(t.Context(), second))
		told, err := s.Notices.Escalations(t.Context(), noticedb.EscalationFilter{Open: true, Limit: 10})
		if err != nil || len(told) != 2 || told[0].Event != policy.ServiceRequested || told[0].Message != "Avito · @anna" {
			t.Fatalf("%+v %v", told, err)
		}
		if _, ended, err := s.Notices.TellOfEnds(t.Context(), noon.Add(time.Hour)); err != nil || ended != 0 {
			t.Errorf("requests were ended as ends of grants are: %d %v", ended, err)
		}
		got, err := s.Notices.DecideServiceRequest(t.Context(), "1", noticedb.RequestDone, "boris", noon.Add(time.Hour))
		if err != nil || got.Service != "Avito" || got.DecidedBy != "boris" {
			t.Errorf("%+v %v", got, err)
		}
		if _, err := s.Notices.DecideServiceRequest(t.Context(), "1", noticedb.RequestDeclined, "anna", noon); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("decided again: %v", err)
		}
		list, err := s.Notices.ServiceRequests(t.Context(), 0, 10)
		if err != nil || len(list) != 2 || list[0].ID != "2" || list[1].State != noticedb.RequestDone {
			t.Errorf("%+v %v", list, err)
		}
		if n, err := s.Notices.OpenServiceRequests(t.Context()); n != 1 || err != nil {
			t.Errorf("%d are open: %v", n, err)
		}
		if open, _ := s.Notices.Escalations(t.Context(), noticedb.EscalationFilter{Open: true, Limit: 10}); len(open) != 1 {
			t.Errorf("%d are still told", len(open))
		}
		check(t, s.Notices.PruneServiceRequests(t.Context(), noon.Add(2*time.Hour)))
		if list, _ = s.Notices.ServiceRequests(t.Context(), 0, 10); len(list) != 1 {
			t.Errorf("%d are left", len(list))
		}
	})
}
