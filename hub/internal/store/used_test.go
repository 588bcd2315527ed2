package store_test

import (
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/sdk/provider"
)

// A use is noted, but never over what came meanwhile.
func TestTheUseOfASlidingTokenIsNoted(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		svc := addService(t, s, "portal")
		c := addGranted(t, s, svc.ID, "one")
		added := c
		c.Policy.AutoRenew = provider.AutoRenewSliding
		c.Tokens.ObtainedAt, c.Tokens.ExpiresAt = noon, noon.Add(time.Hour)
		check(t, s.Grants.UpdateConnection(t.Context(), c, added))
		used, worth := read(t, s, c.ID).Used(noon.Add(30 * time.Minute))
		if !worth {
			t.Fatal("a use after half of the life is not worth noting")
		}
		check(t, s.Grants.SaveUse(t.Context(), used))
		if got := read(t, s, c.ID); got.Tokens.ExpiresAt.UnixMilli() != noon.Add(90*time.Minute).UnixMilli() || got.Tokens.AccessToken != c.Tokens.AccessToken || got.Due.UnixMilli() != used.Due.UnixMilli() {
			t.Errorf("good until %v, due %v, want due %v", got.Tokens.ExpiresAt, got.Due, used.Due)
		}
		later, _ := read(t, s, c.ID).Used(noon.Add(time.Hour))
		present := read(t, s, c.ID)
		check(t, s.Grants.UpdateConnection(t.Context(), present.Paused(noon.Add(time.Hour)), present))
		check(t, s.Grants.SaveUse(t.Context(), later))
		if got := read(t, s, c.ID); got.State != "paused" || got.Tokens.ExpiresAt.UnixMilli() != noon.Add(90*time.Minute).UnixMilli() {
			t.Errorf("a use that was decided before a pause is written over it: %s until %v", got.State, got.Tokens.ExpiresAt)
		}
	})
}
