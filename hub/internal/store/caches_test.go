package store_test

import (
	"fmt"
	"testing"

	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

// What a full cache has let go is read again, and the caches stay at their bounds.
func TestWhatACacheHasLetGoIsReadAgain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const most, all = 5, 40
		store.ShrinkPullCache(s, most)
		ids := make([]string, all)
		for n := range all {
			svc := addService(t, s, fmt.Sprintf("portal-%d", n))
			c := addGranted(t, s, svc.ID, fmt.Sprintf("sales-%d", n))
			check(t, s.People.CreateAPIKey(t.Context(), newKey(fmt.Sprintf("key-%d", n), c.ID)))
			ids[n] = svc.ID
		}
		for range 3 {
			for n := range all {
				svc, err := s.Services.Service(t.Context(), ids[n])
				check(t, err)
				if svc.Name != fmt.Sprintf("portal-%d", n) {
					t.Errorf("service %d is %s", n, svc.Name)
				}
				row, err := s.Pull(t.Context(), fmt.Sprintf("key-%d", n), fmt.Sprintf("sales-%d", n))
				check(t, err)
				if !row.Named || row.ConnectionID == "" {
					t.Errorf("the look-up %d gives %+v", n, row)
				}
			}
			if pulls := store.CachedPulls(s); pulls > most || (pulls == 0) == (s.Dialect() == store.SQLite) {
				t.Errorf("%d look-ups are kept, want at most %d", pulls, most)
			}
		}
	})
}
