package incident_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/incident"
	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/sdk/provider"
)

// staff are two contacts: anna with two ways, and a desk that takes what is left.
func staff(t *testing.T, s *store.Store) {
	t.Helper()
	now := time.Now()
	must(t, s.Notices.SaveChannel(t.Context(), noticedb.Channel{ID: "tg", Title: "Telegram", Kind: "telegram", Settings: map[string]string{"token": "secret"}, CreatedAt: now, UpdatedAt: now}))
	must(t, s.People.SaveContact(t.Context(), policy.Contact{ID: "anna", Title: "Anna", Lang: "ru", Addresses: []policy.Address{{Channel: "tg", To: "1"}, {Channel: "sms", To: "2"}}}, now))
	must(t, s.People.SaveContact(t.Context(), policy.Contact{ID: "desk", Title: "Desk", TakesRest: true, Addresses: []policy.Address{{Channel: "tg", To: "3"}}}, now))
}

// addService adds a service that connections can belong to.
func addService(t *testing.T, s *store.Store, name string) service.Service {
	t.Helper()
	now := time.Now()
	svc := service.Service{ID: store.NewID(), Name: name, Title: name, Provider: "p", Description: &provider.Description{Name: "p"}, CreatedAt: now, UpdatedAt: now}
	must(t, s.Services.CreateService(t.Context(), svc))
	return svc
}

// failing adds connections that suffer from a cause.
func failing(t *testing.T, s *store.Store, svc string, n int, cause string) (ids []string) {
	t.Helper()
	for range n {
		c := granted(svc, fmt.Sprintf("f-%s", store.NewID()[24:]))
		c.Failure = &connection.Failure{Kind: provider.Blocked, Code: "invalid_client", Message: "refused", At: c.CreatedAt, Since: c.CreatedAt, Count: 1}
		c.Cause = cause
		must(t, s.Grants.CreateConnection(t.Context(), c))
		ids = append(ids, c.ID)
	}
	return ids
}

// granted is a connection that works.
func granted(serviceID, name string) connection.Connection {
	now := time.Now()
	return connection.New(now, store.NewID(), name, name, serviceID, connection.Policy{AutoRenew: provider.AutoRenewRefreshToken}).
		Granted(now, now, provider.Token{AccessToken: "a", RefreshToken: "r"}, provider.Account{}, nil)
}

func reconcile(t *testing.T, s *store.Store, now time.Time) {
	t.Helper()
	_, _, err := incident.Reconcile(t.Context(), s, now)
	must(t, err)
}

func deliveriesOf(t *testing.T, s *store.Store) (lines []string) {
	t.Helper()
	list, err := s.Notices.Escalations(t.Context(), noticedb.EscalationFilter{Limit: 100})
	must(t, err)
	for _, e := range list {
		all, err := s.Notices.Deliveries(t.Context(), e.ID)
		must(t, err)
		for _, d := range all {
			lines = append(lines, fmt.Sprintf("%s %s/%s %s", d.Kind, d.Contact, d.Channel, d.State))
		}
	}
	return lines
}

func same(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func TestManyConnectionsOfOneCauseAreOneMessage(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		staff(t, s)
		svc := addService(t, s, "shop")
		cause := connection.Cause{Kind: connection.CauseClient, Of: svc.ID}.String()
		ids := failing(t, s, svc.ID, 47, cause)
		now := time.Now()
		reconcile(t, s, now)
		reconcile(t, s, now)
		same(t, "at first", deliveriesOf(t, s), "problem desk/tg waiting")

		// One more suffers, and its owner has not been told.
		more := failing(t, s, svc.ID, 1, cause)
		must(t, s.People.SetOwner(t.Context(), more[0], "anna"))
		reconcile(t, s, now)
		list, err := s.Notices.Escalations(t.Context(), noticedb.EscalationFilter{Open: true, Limit: 10})
		must(t, err)
		if len(list) != 1 || list[0].Affected != 48 || list[0].Event != policy.OperatorNeeded || list[0].ServiceID != svc.ID {
			t.Fatalf("%+v", list)
		}

		claimed, err := s.Notices.ClaimDeliveries(t.Context(), "me", now.Add(time.Second), now.Add(time.Minute), 10)
		must(t, err)
		for _, d := range claimed {
			must(t, s.Notices.BeginSend(t.Context(), d.ID, "me", now.Add(time.Minute)))
			must(t, s.Notices.SentDelivery(t.Context(), d.ID, "ref", now))
		}
		for _, id := range append(ids, more...) {
			c, err := s.Grants.Connection(t.Context(), id)
			must(t, err)
			c.Failure, c.Cause = nil, ""
			must(t, s.Grants.UpdateConnection(t.Context(), c, c))
		}
		reconcile(t, s, now)
		lines := deliveriesOf(t, s)
		if !slices.Contains(lines, "recovered desk/tg waiting") {
			t.Errorf("who was told of the trouble is not told of its end: %q", lines)
		}
	})
}

// Whoever adds the first contact while there is trouble is told of it.
func TestTroubleIsToldAsSoonAsSomebodyCanBe(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		svc := addService(t, s, "shop")
		failing(t, s, svc.ID, 2, connection.Cause{Kind: connection.CauseClient, Of: svc.ID}.String())
		now := time.Now()
		reconcile(t, s, now)
		same(t, "without a contact", deliveriesOf(t, s))
		staff(t, s)
		reconcile(t, s, now.Add(time.Minute))
		reconcile(t, s, now.Add(2*time.Minute))
		same(t, "with one", deliveriesOf(t, s), "problem desk/tg waiting")
		// An incident of a version that knew no escalations is taken up as well.
		list, err := s.Notices.Escalations(t.Context(), noticedb.EscalationFilter{Limit: 10})
		must(t, err)
		_, err = s.Notices.CloseEscalation(t.Context(), list[0].ID, now)
		must(t, err)
		must(t, s.Notices.PruneEscalations(t.Context(), now.Add(time.Hour)))
		same(t, "without one", deliveriesOf(t, s))
		reconcile(t, s, now.Add(3*time.Minute))
		same(t, "of an older version", deliveriesOf(t, s), "problem desk/tg waiting")
	})
}
