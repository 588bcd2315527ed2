package scheduler_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection/connectiontest"
	"github.com/evergrant/evergrant/hub/internal/scheduler"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/tokensource"
	"github.com/evergrant/evergrant/hub/internal/waittest"
)

func TestADetachedCopyRenewsNothingThatIsDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		google := connectiontest.Years()["Google"].Service
		h := newHubOfAYear(t, &connectiontest.Service{Description: google.Description, AccessLife: time.Hour}, 3)
		waittest.Let(2 * day) // everything is due
		if err := h.store.SetSetting(t.Context(), store.DetachedKey, "{}"); err != nil {
			t.Fatal(err)
		}
		if n := scheduler.New(h.options).Round(t.Context(), 1); n != 0 {
			t.Errorf("%d connections were claimed", n)
		}
		before, err := h.store.Grants.Connection(t.Context(), h.ids[0])
		if err != nil {
			t.Fatal(err)
		}
		_, err = h.source.RenewNow(t.Context(), before.ID, before.Generation)
		if refused, ok := errors.AsType[*tokensource.RefusedError](err); !ok || !refused.Detached {
			t.Errorf("a renewal by hand: %v", err)
		}
		after, err := h.store.Grants.Connection(t.Context(), before.ID)
		if err != nil || after.Generation != before.Generation || after.Failure != nil || !after.Due.Equal(before.Due) {
			t.Errorf("the connection was changed: generation %d, %v, %v", after.Generation, after.Failure, err)
		}
	})
}
