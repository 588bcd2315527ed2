package escalation_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/escalation"
	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
	"github.com/evergrant/evergrant/sdk/provider"
)

// planner plans what is in a store.
func planner(s *store.Store) *escalation.Planner { return escalation.NewPlanner(s) }

// staff are two contacts: anna with two ways, and a desk that takes what is left.
func staff(t *testing.T, s *store.Store) {
	t.Helper()
	now := time.Now()
	ok(t, s.Notices.SaveChannel(t.Context(), noticedb.Channel{ID: "tg", Title: "Telegram", Kind: "telegram", Settings: map[string]string{"token": "secret"}, CreatedAt: now, UpdatedAt: now}))
	ok(t, s.People.SaveContact(t.Context(), policy.Contact{ID: "anna", Title: "Anna", Lang: "ru", Addresses: []policy.Address{{Channel: "tg", To: "1"}, {Channel: "sms", To: "2"}}}, now))
	ok(t, s.People.SaveContact(t.Context(), policy.Contact{ID: "desk", Title: "Desk", TakesRest: true, Addresses: []policy.Address{{Channel: "tg", To: "3"}}}, now))
}

// addService adds a service that connections can belong to.
func addService(t *testing.T, s *store.Store, name string) service.Service {
	t.Helper()
	now := time.Now()
	svc := service.Service{ID: store.NewID(), Name: name, Title: name, Provider: "p", Description: &provider.Description{Name: "p"}, CreatedAt: now, UpdatedAt: now}
	ok(t, s.Services.CreateService(t.Context(), svc))
	return svc
}

// addEnding adds a connection of a service whose grant ends in some time, without a renewal
// that could put it off.
func addEnding(t *testing.T, s *store.Store, serviceID string, now time.Time, in time.Duration) connection.Connection {
	t.Helper()
	name := "e-" + store.NewID()[24:]
	c := connection.New(now, store.NewID(), name, name, serviceID, connection.Policy{AutoRenew: provider.AutoRenewRefreshToken, Rotation: provider.Rotation{Kind: provider.RotationNone}}).
		Granted(now, now, provider.Token{AccessToken: "a", RefreshToken: "r"}, provider.Account{}, nil)
	c.AuthorizedAt = now.Add(-30 * 24 * time.Hour)
	c.Tokens = connection.TokenSet{AccessToken: "a", RefreshToken: "r", ObtainedAt: now, ExpiresAt: now.Add(time.Hour), RefreshExpiresAt: now.Add(in)}
	ok(t, s.Grants.CreateConnection(t.Context(), c))
	return c
}

func deliveriesOf(t *testing.T, s *store.Store) (lines []string) {
	t.Helper()
	list, err := s.Notices.Escalations(t.Context(), noticedb.EscalationFilter{Limit: 100})
	ok(t, err)
	for _, e := range list {
		all, err := s.Notices.Deliveries(t.Context(), e.ID)
		ok(t, err)
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
