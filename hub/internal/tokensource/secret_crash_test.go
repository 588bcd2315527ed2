//go:build simulation

package tokensource_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/crashpoint"
)

// A renewal that ends at a step, as if its hub had died there: what it leaves is what the
// next run finds. Run by `make simulate`.
func TestARenewalThatEndsBetweenTwoSecretsLosesNothing(t *testing.T) {
	for _, tt := range []struct {
		step string
		nth  int // 2 is that of the second request
		// sent are the secrets until the grant is renewed, those of the first run among them.
		sent string
	}{
		{crashpoint.SecretRefused, 1, "first-secret first-secret second-secret"},
		{crashpoint.BetweenSecrets, 1, "first-secret first-secret second-secret"},
		{crashpoint.BeforeIntent, 2, "first-secret first-secret second-secret"},
		{crashpoint.AfterIntent, 2, "first-secret first-secret"}, // its intent was abandoned, so the other secret waits for the next renewal
		{crashpoint.Parsed, 1, "first-secret second-secret"},
	} {
		t.Run(tt.step, func(t *testing.T) {
			r := newRig(t, time.Minute)
			r.withSecrets(t, time.Time{}, time.Time{})
			r.refused.Store("first-secret", true)
			r.start(t, nil)
			reached := 0
			crashpoint.Hook = func(step string) {
				if step == tt.step {
					if reached++; reached == tt.nth {
						runtime.Goexit()
					}
				}
			}
			t.Cleanup(func() { crashpoint.Hook = nil })
			for range 4 {
				r.let <- struct{}{}
			}
			_, _ = r.source.RenewNow(t.Context(), r.c.ID, r.c.Generation)
			if c := r.read(t); reached != tt.nth || c.Generation != r.c.Generation || c.Tokens.RefreshToken != "sales-r" {
				t.Fatalf("the step was reached %d times, generation %d", reached, c.Generation)
			}
			crashpoint.Hook = nil
			_ = r.journal.Close()

			r.start(t, nil)
			if err := r.source.Recover(t.Context()); err != nil {
				t.Fatal(err)
			}
			c, err := r.source.RenewNow(t.Context(), r.c.ID, r.c.Generation)
			if err != nil {
				t.Fatal(err)
			}
			if c.Generation == r.c.Generation { // it is blocked for now, and nothing is lost
				if c, err = r.source.RenewNow(t.Context(), r.c.ID, r.c.Generation); err != nil {
					t.Fatal(err)
				}
				tt.sent += " first-secret second-secret"
			}
			if got := r.sent(); got != tt.sent || c.Generation != r.c.Generation+1 || c.Tokens.RefreshToken != "sales-r+" {
				t.Errorf("sent with %q, want %q; generation %d, refresh token %q", got, tt.sent, c.Generation, c.Tokens.RefreshToken)
			}
			if _, err := r.store.Renewals.OpenIntent(t.Context(), r.c.ID); err == nil {
				t.Error("an intent is left open")
			}
		})
	}
}
