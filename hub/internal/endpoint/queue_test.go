package endpoint_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/evergrant/evergrant/hub/internal/endpoint"
)

// taken takes as much as there are workers for, and returns by endpoint.
func taken(t *testing.T, q *endpoint.Queue[endpoint.Key]) (map[endpoint.Key]int, []func()) {
	t.Helper()
	none, cancel := context.WithCancel(t.Context())
	cancel()
	counts, ends := map[endpoint.Key]int{}, []func(){}
	for {
		key, done, err := q.Take(none)
		if err != nil {
			if !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			return counts, ends
		}
		counts[key]++
		ends = append(ends, done)
	}
}

func TestASlowEndpointCannotHoldAllWorkers(t *testing.T) {
	q := endpoint.NewQueue[endpoint.Key](32)
	for _, key := range []endpoint.Key{"slow", "slower", "well"} {
		for range 100 {
			q.Push(key, key)
		}
		counts, _ := taken(t, q)
		if counts[key] == 0 {
			t.Fatalf("%s got no worker", key)
		}
		t.Logf("%s holds %d of 32 workers", key, counts[key])
		if key == "slow" && counts[key] != 24 {
			t.Errorf("an endpoint that is alone holds %d of 32 workers, want 24", counts[key])
		}
	}
}

func TestEndpointsTakeTurns(t *testing.T) {
	q := endpoint.NewQueue[endpoint.Key](1)
	for _, key := range []endpoint.Key{"a", "a", "a", "b", "b", "c"} {
		q.Push(key, key)
	}
	var order []endpoint.Key
	for range 6 {
		key, done, err := q.Take(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		order = append(order, key)
		done()
	}
	if fmt.Sprint(order) != "[a b c a b a]" {
		t.Fatalf("taken in the order %v", order)
	}
}

func TestWorkersAreNeverExceededAndNothingIsForgotten(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		workers := rapid.IntRange(1, 12).Draw(rt, "workers")
		q := endpoint.NewQueue[endpoint.Key](workers)
		pushed, got := map[endpoint.Key]int{}, map[endpoint.Key]int{}
		var ends []func()
		collect := func() {
			counts, more := taken(t, q)
			for key, n := range counts {
				got[key] += n
			}
			if ends = append(ends, more...); len(ends) > workers {
				rt.Fatalf("%d of %d workers", len(ends), workers)
			}
			if waiting, running := q.Load(); waiting > 0 && running == 0 {
				rt.Fatalf("%d wait while all workers are free", waiting)
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"push": func(rt *rapid.T) {
				key := rapid.SampledFrom([]endpoint.Key{"a", "b", "c", "d"}).Draw(rt, "key")
				q.Push(key, key)
				pushed[key]++
			},
			"take": func(*rapid.T) { collect() },
			"done": func(rt *rapid.T) {
				if len(ends) > 0 {
					i := rapid.IntRange(0, len(ends)-1).Draw(rt, "which")
					ends[i]()
					ends = append(ends[:i], ends[i+1:]...)
				}
			},
		})
		for range 1000 {
			for _, end := range ends {
				end()
			}
			ends = nil
			if collect(); len(ends) == 0 {
				break
			}
		}
		if fmt.Sprint(pushed) != fmt.Sprint(got) {
			rt.Fatalf("pushed %v, got %v", pushed, got)
		}
	})
}
