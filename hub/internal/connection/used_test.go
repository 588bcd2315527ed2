package connection_test

import (
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/sdk/provider"
)

func TestAUseGivesASlidingTokenItsLifeAgain(t *testing.T) {
	begin := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	of := func(kind provider.AutoRenew) connection.Connection {
		life := 20 * time.Minute
		policy := connection.Policy{AutoRenew: kind}
		return connection.New(begin, "id", "n", "n", "svc", policy).Granted(begin, begin, provider.Token{AccessToken: "a", RefreshToken: "r", ExpiresIn: &life}, provider.Account{}, nil)
	}
	sliding := of(provider.AutoRenewSliding)
	for name, tc := range map[string]struct {
		c     connection.Connection
		after time.Duration
		noted bool
	}{
		"too soon to note":           {sliding, 30 * time.Second, false},
		"used":                       {sliding, 10 * time.Minute, true},
		"over already":               {sliding, 21 * time.Minute, false},
		"paused":                     {sliding.Paused(begin), 10 * time.Minute, false},
		"renewed by a refresh token": {of(provider.AutoRenewRefreshToken), 10 * time.Minute, false},
	} {
		now := begin.Add(tc.after)
		used, noted := tc.c.Used(now)
		want := tc.c.Tokens.ExpiresAt
		if tc.noted {
			want = now.Add(20 * time.Minute)
		}
		if noted != tc.noted || !used.Tokens.ExpiresAt.Equal(want) || used.Generation != tc.c.Generation {
			t.Errorf("%s: noted %t, good until %v, want %v", name, noted, used.Tokens.ExpiresAt, want)
		}
		if tc.noted && (!used.Due.After(tc.c.Due) || used.Tokens.Lifetime() != 20*time.Minute) {
			t.Errorf("%s: due %v after %v, life %v", name, used.Due, tc.c.Due, used.Tokens.Lifetime())
		}
	}
}
