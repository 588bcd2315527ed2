package endpoint

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evergrant/evergrant/hub/internal/waittest"
)

// However many endpoints a plugin makes up, a Limiter remembers so many; one that somebody
// is at stays, and so does one that is used.
func TestALimiterRemembersABoundedNumberOfEndpoints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(Options{})
		busy := Key("https://busy.example/token")
		done, err := g.Enter(context.Background(), busy)
		if err != nil {
			t.Fatal(err)
		}
		for n := range 2 * maxKept {
			g.Observe(Key(fmt.Sprintf("https://made-up.example/%d", n)), NotSent())
			waittest.Let(time.Millisecond) // the bubble's clock, so that each was used at a time of its own
		}
		if len(g.endpoints) > maxKept {
			t.Errorf("%d endpoints are remembered, want at most %d", len(g.endpoints), maxKept)
		}
		if _, there := g.endpoints[busy]; !there {
			t.Error("an endpoint that somebody is at is forgotten")
		}
		if _, there := g.endpoints[Key(fmt.Sprintf("https://made-up.example/%d", 2*maxKept-1))]; !there {
			t.Error("the last endpoint is forgotten before those of long ago")
		}
		done(NotSent())
	})
}
