package overview_test

import (
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/app/overview"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/keydb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/sdk/provider"
)

func TestTheForecastHasGrantsClientSecretsAndCertificates(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		now := time.Now()
		in := func(days int) time.Time { return now.AddDate(0, 0, days) }
		shop := service.Service{
			ID: store.NewID(), Name: "shop", Title: "Shop", Provider: "p", CreatedAt: now, UpdatedAt: now,
			ClientSecret: "a", SecretEndsAt: in(5), OtherSecret: service.Secret{Value: "b", EndsAt: in(20)},
		}
		shop.Description = &provider.Description{Name: "p", Keys: []provider.Key{{Name: "cert", Use: provider.KeyClientCertificate}}}
		must(t, s.Services.CreateService(t.Context(), shop))
		for _, k := range []keydb.Key{
			{Name: "cert", Serial: 1, EndsAt: in(3)},
			{Name: "cert", Serial: 2, EndsAt: in(30)}, // has taken the place of the first
			{Name: "unneeded", Serial: 1, EndsAt: in(1)},
		} {
			k.ID, k.ServiceID, k.KeyID, k.Use, k.UsedFrom, k.CreatedAt = store.NewID(), shop.ID, store.NewID(), provider.KeyClientCertificate, now, now
			must(t, s.Keys.Add(t.Context(), k))
		}
		c := connection.New(now, store.NewID(), "sales", "Sales", shop.ID, connection.Policy{AutoRenew: provider.AutoRenewNone}).
			Granted(now, now, provider.Token{AccessToken: "a", ExpiresIn: provider.Seconds(10 * 24 * 3600)}, provider.Account{}, nil)
		must(t, s.Grants.CreateConnection(t.Context(), c))
		for most, want := range map[int]string{
			10: "service shop client_secret_ends, connection sales no_auto_renew, service shop client_secret_ends, service shop client_certificate_ends",
			2:  "service shop client_secret_ends, connection sales no_auto_renew",
		} {
			rows, err := overview.New(s).Forecast(t.Context(), most)
			must(t, err)
			var got []string
			for _, row := range rows {
				if row.ServiceName != "" {
					got = append(got, "service "+row.ServiceName+" "+row.Reason)
				} else {
					got = append(got, "connection "+row.Name+" "+row.Reason)
				}
			}
			if strings.Join(got, ", ") != want {
				t.Errorf("the first %d are %q, want %q", most, got, want)
			}
		}
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
