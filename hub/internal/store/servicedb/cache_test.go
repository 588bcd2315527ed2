package servicedb_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/servicedb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

// What a full cache has let go is read again, and the cache stays at its bound.
func TestAServiceThatTheCacheHasLetGoIsReadAgain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		const most, all = 5, 40
		servicedb.ShrinkCache(s.Services, most)
		ids := make([]string, all)
		for n := range all {
			ids[n] = store.NewID()
			svc := service.Service{ID: ids[n], Name: fmt.Sprintf("portal-%d", n), Provider: "bitrix24", CreatedAt: time.Now(), UpdatedAt: time.Now()}
			if err := s.Services.CreateService(t.Context(), svc); err != nil {
				t.Fatal(err)
			}
		}
		for range 3 {
			for n := range all {
				svc, err := s.Services.Service(t.Context(), ids[n])
				if err != nil || svc.Name != fmt.Sprintf("portal-%d", n) {
					t.Errorf("service %d is %s: %v", n, svc.Name, err)
				}
			}
			if kept := servicedb.Cached(s.Services); kept > most || kept == 0 {
				t.Errorf("%d services are kept, want at most %d", kept, most)
			}
		}
	})
}
