package connection_test

import (
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/sdk/provider"
)

func TestWhatIsStoredBesideAConnection(t *testing.T) {
	now := time.Date(2030, 1, 2, 12, 0, 0, 0, time.UTC)
	plain := connection.New(now, "id", "Sales-EU", "Отдел Продаж", "svc", connection.Policy{AutoRenew: provider.AutoRenewRefreshToken})
	granted := plain.Granted(now, now, provider.Token{AccessToken: "a", RefreshToken: "r", ExpiresIn: provider.Seconds(3600)}, provider.Account{ID: "ID7", Name: "Anna"}, nil)
	failing := granted
	failing.Cause = "client:svc"
	failing.Failure = &connection.Failure{Kind: provider.Blocked, At: now, Since: now, Count: 1}
	limited := granted
	limited.Tokens.RefreshExpiresAt = now.Add(48 * time.Hour)
	for _, test := range []struct {
		name   string
		c      connection.Connection
		search string
		cause  string
		phase  connection.Phase
		until  time.Time
	}{
		{"pending", plain, "sales-eu\nотдел продаж\n\n", "", connection.Phase(connection.StatePending), time.Time{}},
		{"granted", granted, "sales-eu\nотдел продаж\nanna\nid7", "", connection.PhaseHealthy, granted.RenewableUntil()},
		{"failing", failing, "sales-eu\nотдел продаж\nanna\nid7", "client:svc", connection.PhaseBlocked, granted.RenewableUntil()},
		{"with an end", limited, "sales-eu\nотдел продаж\nanna\nid7", "", connection.PhaseHealthy, now.Add(48 * time.Hour)},
	} {
		t.Run(test.name, func(t *testing.T) {
			by, _ := test.c.PersonBy()
			want := connection.Derived{Search: test.search, Cause: test.cause, Phase: test.phase, RenewableUntil: test.until, PersonBy: by}
			if got := test.c.Derived(); got != want {
				t.Errorf("%+v, want %+v", got, want)
			}
		})
	}
}
