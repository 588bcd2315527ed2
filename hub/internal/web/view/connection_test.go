package view_test

import (
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/web/view"
	"github.com/evergrant/evergrant/sdk/provider"
)

// A page must not say that a connection lasts whose renewal is put off past the end of
// its token, unless the service requires it.
func TestARenewalThatIsPutOffPastTheTokensEndIsTold(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		window provider.RenewWindowKind
		until  time.Duration // the endpoint is left alone
		want   bool
	}{
		"in time":                   {"", 10 * time.Minute, false},
		"past the end":              {"", 2 * time.Hour, true},
		"a service after expiry":    {provider.RenewAfterExpiry, 0, false},
		"a service on demand, idle": {provider.RenewOnDemand, 2 * time.Hour, false},
	} {
		p := connection.Policy{AutoRenew: provider.AutoRenewRefreshToken, Window: provider.RenewWindow{Kind: test.window}}
		c := connection.New(now, "id", "n", "t", "s", p).
			Granted(now, now, provider.Token{AccessToken: "a", RefreshToken: "r", ExpiresIn: new(time.Hour)}, provider.Account{}, nil)
		if test.until > 0 {
			c = c.Deferred(now, now.Add(test.until))
		}
		if got := view.ConnectionOf(c, service.Service{}, "", "", now).PutOff(); got != test.want {
			t.Errorf("%s: put off is %t, due %s", name, got, c.Due.Sub(now))
		}
	}
}
