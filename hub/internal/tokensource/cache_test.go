package tokensource

import (
	"fmt"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
)

// Beyond its bound the cache lets single connections go: the one that is pulled all the
// time stays, and one that has gone is missed, so that it is read again.
func TestTheCacheOfConnectionsLetsSingleOnesGo(t *testing.T) {
	const most = 200
	c := newCache(most)
	conn := func(n int) connection.Connection {
		return connection.Connection{ID: fmt.Sprint(n), Generation: int64(n + 1), UpdatedAt: time.UnixMilli(int64(n))}
	}
	hot := conn(0)
	c.put(hot)
	for n := 1; n < 10*most; n++ {
		c.put(conn(n))
		if got, ok := c.get(hot.ID, Version{Generation: hot.Generation, UpdatedAt: hot.UpdatedAt}); !ok || got.Generation != hot.Generation {
			t.Fatalf("after %d others the connection that is pulled all the time is gone", n)
		}
	}
	there := 0
	for n := range 10 * most {
		want := conn(n)
		got, ok := c.get(want.ID, Version{Generation: want.Generation, UpdatedAt: want.UpdatedAt})
		if ok && got.Generation != want.Generation {
			t.Errorf("connection %d comes back with generation %d", n, got.Generation)
		}
		if ok {
			there++
		}
	}
	if there > most || there < most*9/10 {
		t.Errorf("%d connections are kept, want nearly %d", there, most)
	}
	if _, ok := c.get(hot.ID, Version{Generation: hot.Generation + 1}); ok {
		t.Error("a connection of another version is handed out")
	}
}
