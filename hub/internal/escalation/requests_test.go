package escalation_test

import (
	"errors"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

func TestARequestForAServiceIsToldAndDecidedOnce(t *testing.T) {
	noon := time.Date(2030, 1, 2, 12, 0, 0, 0, time.UTC)
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ok(t, s.People.SaveContact(t.Context(), policy.Contact{ID: "desk", Title: "Desk", TakesRest: true, Addresses: []policy.Address{{Channel: "mail", To: "x"}}}, noon))
		first := noticedb.ServiceRequest{ID: "1", Service: "Avito", Purpose: "orders", Contact: "@anna", Source: noticedb.RequestByFront, Address: "192.0.2.1", CreatedAt: noon}
		ok(t, planner(s).Request(t.Context(), first))
		second := first
		second.ID, second.CreatedAt = "2", noon.Add(time.Minute)
		ok(t, planner(s).Request(t.Context(), second))
		told, err := s.Notices.Escalations(t.Context(), noticedb.EscalationFilter{Open: true, Limit: 10})
		if err != nil || len(told) != 2 || told[0].Event != policy.ServiceRequested || told[0].Message != "Avito · @anna" {
			t.Fatalf("%+v %v", told, err)
		}
		if _, ended, err := planner(s).TellOfEnds(t.Context(), noon.Add(time.Hour)); err != nil || ended != 0 {
			t.Errorf("requests were ended as ends of grants are: %d %v", ended, err)
		}
		got, err := planner(s).DecideRequest(t.Context(), "1", noticedb.RequestDone, "boris", noon.Add(time.Hour))
		if err != nil || got.Service != "Avito" || got.DecidedBy != "boris" {
			t.Errorf("%+v %v", got, err)
		}
		if _, err := planner(s).DecideRequest(t.Context(), "1", noticedb.RequestDeclined, "anna", noon); !errors.Is(err, store.ErrNotFound) {
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
		ok(t, s.Notices.PruneServiceRequests(t.Context(), noon.Add(2*time.Hour)))
		if list, _ = s.Notices.ServiceRequests(t.Context(), 0, 10); len(list) != 1 {
			t.Errorf("%d are left", len(list))
		}
	})
}
