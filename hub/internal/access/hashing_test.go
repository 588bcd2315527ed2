package access

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
)

// fill takes all places and has strangers of as many networks wait.
func fill(ctx context.Context, t *testing.T, q *queue, strangers int) (results chan error) {
	t.Helper()
	for range mostHashing {
		if err := q.enter(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
	}
	results = make(chan error, strangers)
	for n := range strangers {
		go func() { results <- q.enter(ctx, fmt.Sprint("network ", n)) }()
	}
	synctest.Wait()
	return results
}

func TestWhoIsKnownComesBeforeStrangers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &queue{}
		strangers := fill(t.Context(), t, q, mostWaiting)
		if err := q.enter(t.Context(), "one more"); !isTooMany(err) {
			t.Errorf("a stranger too many: %v", err)
		}
		known := make(chan error, 1)
		go func() { known <- q.enter(t.Context(), "") }()
		synctest.Wait()
		q.leave()
		synctest.Wait()
		if len(known) != 1 || len(strangers) != 0 {
			t.Errorf("%d known and %d strangers have a place", len(known), len(strangers))
		}
		for range mostWaiting {
			q.leave()
		}
		synctest.Wait()
		if len(strangers) != mostWaiting {
			t.Errorf("%d strangers had their turn", len(strangers))
		}
		for range mostHashing {
			q.leave()
		}
		if q.hashing != 0 {
			t.Errorf("%d places are lost", q.hashing)
		}
	})
}

func TestOneNetworkDoesNotFillTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &queue{}
		ctx, cancel := context.WithCancel(t.Context())
		fill(ctx, t, q, 0)
		refused := 0
		ended := make(chan error, 100)
		for range 100 {
			go func() { ended <- q.enter(ctx, "one") }()
		}
		synctest.Wait()
		for len(ended) > 0 {
			if err := <-ended; !isTooMany(err) {
				t.Error(err)
			}
			refused++
		}
		if refused != 100-mostWaitingFrom {
			t.Errorf("%d of a hundred from one network wait", 100-refused)
		}
		other := make(chan error, 1)
		go func() { other <- q.enter(t.Context(), "other") }()
		synctest.Wait()
		cancel()
		synctest.Wait()
		q.leave()
		if err := <-other; err != nil {
			t.Errorf("another network: %v", err)
		}
	})
}

// A client that goes away gives up its waiting place at once, and nothing is hashed or
// counted for it.
func TestWhoGoesAwayGivesUpTheWaitingPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &queue{}
		ctx, cancel := context.WithCancel(t.Context())
		strangers := fill(ctx, t, q, mostWaiting)
		cancel()
		synctest.Wait()
		for range mostWaiting {
			if err := <-strangers; !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
		}
		if len(q.strange) != 0 {
			t.Errorf("%d places are kept for clients that are gone", len(q.strange))
		}
		if err := q.enter(ctx, "gone"); !errors.Is(err, context.Canceled) {
			t.Errorf("a client that was gone before: %v", err)
		}
		for range mostHashing {
			q.leave()
		}
		if q.hashing != 0 {
			t.Errorf("%d places are lost", q.hashing)
		}
	})
}
