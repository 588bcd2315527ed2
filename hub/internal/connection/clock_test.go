package connection_test

import (
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/sdk/provider"
)

func TestWhatWasDatedBeforeTheClockWentBackStaysAsFarAway(t *testing.T) {
	at := time.Date(2030, 1, 2, 12, 0, 0, 0, time.UTC)
	policy := connection.Policy{AutoRenew: provider.AutoRenewRefreshToken, Rotation: provider.Rotation{Kind: provider.RotationRotates}}
	c := connection.New(at, "id", "name", "title", "svc", policy).
		Granted(at, at, provider.Token{AccessToken: "a", RefreshToken: "r", ExpiresIn: new(8 * time.Hour)}, provider.Account{}, nil)
	later, back := at.Add(3*time.Hour), -2*time.Hour // it is not dated in the future afterwards
	moved := c.SetBack(later.Add(back), back)
	if left := moved.Tokens.ExpiresAt.Sub(later.Add(back)); left != 5*time.Hour {
		t.Errorf("the token seems to live for another %s, it does for 5h", left)
	}
	if !moved.Due.Equal(c.Due.Add(back)) || !moved.Tokens.RefreshExpiresAt.IsZero() {
		t.Errorf("due %s, was %s", moved.Due, c.Due)
	}
	if paused := c.Paused(later).SetBack(later, back); !paused.Due.IsZero() || !paused.Tokens.ExpiresAt.Equal(moved.Tokens.ExpiresAt) {
		t.Error("a paused connection is dated by the clock before")
	}
}
