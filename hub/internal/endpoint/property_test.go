package endpoint_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/evergrant/evergrant/hub/internal/endpoint"
)

// request is what a random caller meets.
type request struct {
	after, takes time.Duration
	outcome      int
	maxWait      time.Duration
}

var requests = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) request {
	return request{
		after:   time.Duration(rapid.IntRange(0, 4000).Draw(t, "after")) * time.Millisecond,
		takes:   time.Duration(rapid.IntRange(0, 8000).Draw(t, "takes")) * time.Millisecond,
		outcome: rapid.IntRange(0, 4).Draw(t, "outcome"),
		maxWait: time.Duration(rapid.IntRange(1, 20_000).Draw(t, "maxWait")) * time.Millisecond,
	}
}), 1, 120)

func (r request) end() endpoint.Outcome {
	return [...]endpoint.Outcome{
		endpoint.NotSent(), endpoint.NoReply("reset"), answered(200, ""), answered(500, ""), answered(429, "8"),
	}[r.outcome]
}

func TestNeverMoreThanTheCapAndNeverTwoProbes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		limit := rapid.IntRange(1, 6).Draw(rt, "cap")
		rate := rapid.SampledFrom([]float64{0, 0, 3}).Draw(rt, "rate")
		all := requests.Draw(rt, "requests")
		synctest.Test(t, func(t *testing.T) {
			g := endpoint.New(endpoint.Options{Limits: endpoint.Limits{InFlight: limit, PerSecond: rate}})
			var work sync.WaitGroup
			var mu sync.Mutex
			inFlight, probes := 0, 0
			for _, r := range all {
				let(r.after)
				work.Go(func() {
					ctx, cancel := context.WithTimeout(t.Context(), r.maxWait)
					defer cancel()
					done, err := g.Enter(ctx, tokens)
					if err != nil {
						if closed, ok := errors.AsType[*endpoint.ClosedError](err); ok && closed.Until.Before(time.Now()) {
							t.Error("somebody was told to come back in the past")
						}
						return
					}
					probe := stateOf(t, g).State == endpoint.StateHalfOpen
					mu.Lock()
					inFlight++
					if probe {
						probes++
					}
					if inFlight > limit || probes > 1 {
						t.Errorf("%d in flight of %d, %d probes", inFlight, limit, probes)
					}
					mu.Unlock()
					let(r.takes)
					mu.Lock()
					inFlight--
					if probe {
						probes--
					}
					mu.Unlock()
					done(r.end())
				})
			}
			work.Wait()
			s := stateOf(t, g)
			if s.InFlight != 0 || s.Waiting != 0 {
				t.Errorf("all have left, but %d in flight and %d waiting", s.InFlight, s.Waiting)
			}
			// However it went, a healthy endpoint is used again.
			let(2 * time.Hour)
			for range 10 {
				if err := ask(t, g, answered(200, "")); err != nil {
					t.Errorf("closed for ever: %v", err)
				}
			}
			if s := stateOf(t, g); s.State != endpoint.StateClosed {
				t.Errorf("it answers, but is %s", s.State)
			}
		})
		if t.Failed() {
			rt.FailNow()
		}
	})
}

// With 1,000 connections that never stop asking, an endpoint that was busy to its
// cap of 64 when it died gets those 64, the four that enter before the fifth
// failure opens the circuit, and at most nine probes in the first minute; in each
// minute after that at most two, and some 95 in an hour.
func TestRequestsToADeadEndpointAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := endpoint.New(endpoint.Options{Replica: "a"})
		var mu sync.Mutex
		start, perMinute, failures := time.Now(), make([]int, 60), 0
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		var callers sync.WaitGroup
		for range crowd {
			callers.Go(func() {
				for ctx.Err() == nil {
					done, err := g.Enter(ctx, tokens)
					if closed, ok := errors.AsType[*endpoint.ClosedError](err); ok {
						let(min(time.Until(closed.Until), time.Hour-time.Since(start)))
						continue
					}
					if err != nil {
						return
					}
					mu.Lock()
					perMinute[int(time.Since(start)/time.Minute)]++
					failures++
					mu.Unlock()
					let(100 * time.Millisecond)
					done(endpoint.NoReply("no connection could be made"))
				}
			})
		}
		callers.Wait()
		t.Logf("requests in each minute of an outage of an hour: %v, %d in all", perMinute, failures)
		if perMinute[0] > 64+4+9 {
			t.Errorf("%d requests in the first minute", perMinute[0])
		}
		for minute, n := range perMinute[1:] {
			if n > 2 {
				t.Errorf("%d requests in minute %d", n, minute+2)
			}
		}
		if failures > 64+4+32 {
			t.Errorf("%d requests in an hour", failures)
		}
	})
}
