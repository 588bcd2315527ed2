package store_test

import (
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

func TestAnIntentIsPutBackWithoutLeaseOverAnEarlierOneOnly(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		me, another := storetest.Enter(t, s, "me"), storetest.Enter(t, s, "another")
		c := addGranted(t, s, addService(t, s, "portal").ID, "sales")
		begin(t, s, intentFor(c, another)) // as the backup had it

		later := intentFor(c, me)
		later.Generation, later.SendBy = 5, noon.Add(10*time.Second)
		put, err := s.Renewals.PutBackIntent(t.Context(), later)
		check(t, err)
		open, err := s.Renewals.OpenIntent(t.Context(), c.ID)
		check(t, err)
		if !put || open.ID != later.ID || open.Owner != me || open.BegunAt.UnixMilli() != noon.UnixMilli() || open.SendBy.UnixMilli() != later.SendBy.UnixMilli() || open.Deadline.UnixMilli() != later.Deadline.UnixMilli() {
			t.Fatalf("put %t, %+v", put, open)
		}
		for generation, want := range map[int64]string{5: later.ID, 4: later.ID} {
			other := intentFor(c, another)
			other.Generation = generation
			if put, err := s.Renewals.PutBackIntent(t.Context(), other); err != nil || put {
				t.Errorf("generation %d: put %t: %v", generation, put, err)
			}
			if open, err := s.Renewals.OpenIntent(t.Context(), c.ID); err != nil || open.ID != want {
				t.Errorf("generation %d: %+v, %v", generation, open, err)
			}
		}
		wantErr(t, s.Renewals.BeginIntent(t.Context(), intentFor(c, another)), store.ErrInUse)
	})
}
