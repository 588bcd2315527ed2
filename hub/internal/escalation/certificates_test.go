package escalation_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/keydb"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/sdk/provider"
)

// needsCertificate has a service need a client certificate, or need none any more.
func needsCertificate(t *testing.T, s *store.Store, svc service.Service, needs bool) service.Service {
	t.Helper()
	was := svc.UpdatedAt
	svc.Description = &provider.Description{Name: "p"}
	if needs {
		svc.Description.Keys = []provider.Key{{Name: "client-certificate", Use: provider.KeyClientCertificate}}
	}
	svc.UpdatedAt = was.Add(time.Second)
	ok(t, s.Services.ReplaceService(t.Context(), svc, was))
	return svc
}

// addCertificate adds the next version of a client certificate.
func addCertificate(t *testing.T, s *store.Store, svc service.Service, serial int64, used, ends time.Time) {
	t.Helper()
	ok(t, s.Keys.Add(t.Context(), keydb.Key{
		ID: store.NewID(), ServiceID: svc.ID, Name: "client-certificate", Serial: serial, Use: provider.KeyClientCertificate, KeyID: store.NewID(),
		Origin: provider.KeyImported, Private: []byte("private"), UsedFrom: used, EndsAt: ends, CreatedAt: used,
	}))
}

func TestEndsOfClientCertificatesAreToldOnceForEachTerm(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		staff(t, s)
		now, day := time.Now(), 24*time.Hour
		shop := needsCertificate(t, s, addService(t, s, "shop"), true)
		addCertificate(t, s, shop, 1, now, now.Add(29*day))
		far := needsCertificate(t, s, addService(t, s, "far"), true)
		addCertificate(t, s, far, 1, now, now.Add(90*day))
		addCertificate(t, s, addService(t, s, "unneeded"), 1, now, now.Add(day))
		tell := func(at time.Duration, begun, ended int, codes ...string) {
			t.Helper()
			b, e, err := planner(s).TellOfCertificates(t.Context(), now.Add(at))
			ok(t, err)
			if b != begun || e != ended {
				t.Errorf("after %s: %d begun, %d ended; want %d and %d", at, b, e, begun, ended)
			}
			open, err := s.Notices.Escalations(t.Context(), noticedb.EscalationFilter{Open: true, Event: policy.CertificateEnds})
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
		for what, look := range map[string]func() error{
			"secrets": func() error { _, _, err := planner(s).TellOfSecrets(t.Context(), now); return err },
			"grants":  func() error { _, _, err := planner(s).TellOfEnds(t.Context(), now); return err },
		} {
			if err := look(); err != nil {
				t.Fatalf("%s: %v", what, err)
			}
		}
		tell(50*day, 0, 0, "ended") // what looks at secrets and grants leaves it alone
		addCertificate(t, s, shop, 2, now.Add(50*day), now.Add(80*day))
		tell(51*day, 1, 1, "last") // the new one ends in 29 days
		needsCertificate(t, s, shop, false)
		tell(51*day, 0, 1)
	})
}

// The people who may replace a certificate are told, not the owners of connections, and the
// message leads to the page of keys.
func TestAdministratorsAreToldOfEndingCertificates(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		staff(t, s)
		now := time.Now()
		user := peopledb.User{ID: store.NewID(), Login: "ann", Role: "administrator", CreatedAt: now, UpdatedAt: now}
		ok(t, s.People.CreateUser(t.Context(), user))
		ok(t, s.People.SaveContact(t.Context(), policy.Contact{ID: "ann", Title: "Ann", UserID: user.ID, Addresses: []policy.Address{{Channel: "tg", To: "9"}}}, now))
		svc := needsCertificate(t, s, addService(t, s, "shop"), true)
		c := addEnding(t, s, svc.ID, now, 90*24*time.Hour)
		end := now.Add(24 * time.Hour).Truncate(time.Millisecond)
		addCertificate(t, s, svc, 1, now, end)
		_, _, err := planner(s).TellOfCertificates(t.Context(), now)
		ok(t, err)
		open, err := s.Notices.Escalations(t.Context(), noticedb.EscalationFilter{Open: true})
		if err != nil || len(open) != 1 || open[0].Affected != 1 || !slices.Equal(open[0].Connections, []string{c.ID}) || !open[0].PersonBy.Equal(end) {
			t.Errorf("open are %+v, %v", open, err)
		}
		if lines := deliveriesOf(t, s); len(lines) != 1 || !strings.Contains(lines[0], " ann/tg ") {
			t.Errorf("planned are %q", lines)
		}
	})
}
