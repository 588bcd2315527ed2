package escalation_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

func TestEndsOfClientSecretsAreToldOnceForEachTerm(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		staff(t, s)
		now, day := time.Now(), 24*time.Hour
		set := func(svc service.Service, current, other time.Duration) service.Service {
			t.Helper()
			was := svc.UpdatedAt
			svc.ClientSecret, svc.SecretEndsAt, svc.OtherSecret = "a", now.Add(current), service.Secret{}
			if other != 0 {
				svc.OtherSecret = service.Secret{Value: "b", EndsAt: now.Add(other)}
			}
			svc.UpdatedAt = was.Add(time.Second)
			ok(t, s.Services.ReplaceService(t.Context(), svc, was))
			return svc
		}
		shop := set(addService(t, s, "shop"), 29*day, 0)
		set(addService(t, s, "far"), 90*day, 0)
		addService(t, s, "without")
		tell := func(at time.Duration, begun, ended int, codes ...string) {
			t.Helper()
			b, e, err := planner(s).TellOfSecrets(t.Context(), now.Add(at))
			ok(t, err)
			if b != begun || e != ended {
				t.Errorf("after %s: %d begun, %d ended; want %d and %d", at, b, e, begun, ended)
			}
			open, err := s.Notices.Escalations(t.Context(), noticedb.EscalationFilter{Open: true, Event: policy.SecretEnds})
			ok(t, err)
			var got []string
			for _, e := range open {
				got = append(got, e.Code)
			}
			same(t, "open after "+at.String(), got, codes...)
		}
		tell(0, 1, 0, "last")
		tell(time.Hour, 0, 0, "last")
		tell(16*day, 1, 1, "last") // 13 days are left
		tell(27*day, 1, 1, "last")
		tell(30*day, 1, 1, "ended")
		tell(50*day, 0, 0, "ended")
		if _, _, err := planner(s).TellOfEnds(t.Context(), now); err != nil {
			t.Fatal(err)
		}
		tell(50*day, 0, 0, "ended") // what looks at grants leaves it alone
		shop = set(shop, 29*day, 80*day)
		tell(51*day, 1, 1, "last") // the one that has ended is covered, and the other ends in 29 days
		set(shop, 89*day, 0)
		tell(51*day, 0, 1)
	})
}

// The people who may replace a secret are told, not the owners of connections.
func TestAdministratorsAreToldOfEndingSecrets(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		staff(t, s)
		now := time.Now()
		user := peopledb.User{ID: store.NewID(), Login: "ann", Role: "administrator", CreatedAt: now, UpdatedAt: now}
		ok(t, s.People.CreateUser(t.Context(), user))
		ok(t, s.People.SaveContact(t.Context(), policy.Contact{ID: "ann", Title: "Ann", UserID: user.ID, Addresses: []policy.Address{{Channel: "tg", To: "9"}}}, now))
		svc := addService(t, s, "shop")
		c := addEnding(t, s, svc.ID, now, 90*24*time.Hour)
		was := svc.UpdatedAt
		svc.ClientSecret, svc.SecretEndsAt, svc.UpdatedAt = "a", now.Add(24*time.Hour), was.Add(time.Second)
		ok(t, s.Services.ReplaceService(t.Context(), svc, was))
		_, _, err := planner(s).TellOfSecrets(t.Context(), now)
		ok(t, err)
		open, err := s.Notices.Escalations(t.Context(), noticedb.EscalationFilter{Open: true})
		if err != nil || len(open) != 1 || open[0].Affected != 1 || !slices.Equal(open[0].Connections, []string{c.ID}) || !open[0].PersonBy.Equal(svc.SecretEndsAt.Truncate(time.Millisecond)) {
			t.Errorf("open are %+v, %v", open, err)
		}
		if lines := deliveriesOf(t, s); len(lines) != 1 || !strings.Contains(lines[0], " ann/tg ") {
			t.Errorf("planned are %q", lines)
		}
	})
}
