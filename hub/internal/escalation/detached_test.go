package escalation_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/waittest"
)

func TestADetachedCopySendsNoMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, w, e := still(t, nil)
		ok(t, s.SetSetting(t.Context(), store.DetachedKey, "{}"))
		begin(t, s)
		waittest.Let(time.Hour)
		if n, err := e.Deliver(t.Context()); n != 0 || err != nil || len(w.said()) != 0 {
			t.Errorf("%d messages, %v: %v", n, err, w.said())
		}
		via, err := s.Notices.Channel(t.Context(), "tg")
		ok(t, err)
		if _, err := e.Test(t.Context(), via, "-100123", "en"); err == nil || len(w.said()) != 0 {
			t.Errorf("a test of a channel: %v %v", err, w.said())
		}
		ok(t, s.TakeSetting(t.Context(), store.DetachedKey, "{}"))
		waittest.Let(time.Minute) // until it is noticed
		if n, err := e.Deliver(t.Context()); n == 0 || err != nil || len(w.said()) == 0 {
			t.Errorf("after it was attached: %d messages, %v", n, err)
		}
	})
}
