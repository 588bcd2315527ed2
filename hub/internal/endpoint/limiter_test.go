package endpoint_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evergrant/evergrant/hub/internal/endpoint"
	"github.com/evergrant/evergrant/hub/internal/waittest"
)

const tokens endpoint.Key = "https://auth.example/oauth/token"

// ask enters and leaves with an outcome.
func ask(t *testing.T, g *endpoint.Limiter, o endpoint.Outcome) error {
	t.Helper()
	done, err := g.Enter(t.Context(), tokens)
	if err == nil {
		done(o)
	}
	return err
}

func answered(status int, retryAfter string) endpoint.Outcome {
	return endpoint.Answered(status, http.Header{"Retry-After": {retryAfter}}, time.Now())
}

func mustEnter(t *testing.T, g *endpoint.Limiter) func(endpoint.Outcome) {
	t.Helper()
	done, err := g.Enter(t.Context(), tokens)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func wantClosed(t *testing.T, err error) *endpoint.ClosedError {
	t.Helper()
	closed, ok := errors.AsType[*endpoint.ClosedError](err)
	if !ok {
		t.Fatalf("error is %v, want *ClosedError", err)
	}
	return closed
}

func stateOf(t *testing.T, g *endpoint.Limiter) endpoint.Status {
	t.Helper()
	all := g.Snapshot()
	if len(all) != 1 {
		t.Fatalf("%d endpoints are known, want 1", len(all))
	}
	return all[0]
}

func TestAnOutageOpensTheCircuitOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := endpoint.New(endpoint.Options{Limits: endpoint.Limits{InFlight: 20}})
		var inFlight []func(endpoint.Outcome)
		for range 20 {
			inFlight = append(inFlight, mustEnter(t, g))
		}
		for _, done := range inFlight {
			done(endpoint.NoReply("no connection could be made"))
		}
		s := stateOf(t, g)
		if s.State != endpoint.StateOpen || s.Openings != 1 || s.Failed != 20 {
			t.Fatalf("twenty failures at once: %s after %d openings, %d failed", s.State, s.Openings, s.Failed)
		}
		closed := wantClosed(t, ask(t, g, endpoint.NotSent()))
		if wait := time.Until(closed.Until); wait < 5*time.Second || wait > 6*time.Second || closed.Cause == "" {
			t.Fatalf("closed for %s because of %q", wait, closed.Cause)
		}
	})
}

func TestOneProbeFindsOutWhetherAnEndpointIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := endpoint.New(endpoint.Options{})
		for range 5 {
			_ = ask(t, g, answered(503, ""))
		}
		let(time.Until(stateOf(t, g).Until))
		probe := mustEnter(t, g)
		if s := stateOf(t, g); s.State != endpoint.StateHalfOpen {
			t.Fatalf("state is %s", s.State)
		}
		if closed := wantClosed(t, ask(t, g, endpoint.NotSent())); !closed.Until.After(time.Now()) {
			t.Fatal("a second one is told to come back at once while the probe is in flight")
		}
		probe(answered(500, ""))
		first := time.Until(stateOf(t, g).Until)
		if first < 5*time.Second || first > 6*time.Second {
			t.Fatalf("the second opening lasts %s", first)
		}
		let(first)
		probe = mustEnter(t, g)
		probe(answered(400, "")) // an OAuth error is an answer
		if s := stateOf(t, g); s.State != endpoint.StateRecovering {
			t.Fatalf("after the probe was answered the state is %s", s.State)
		}
		for range 4 {
			if err := ask(t, g, answered(200, "")); err != nil {
				t.Fatal(err)
			}
		}
		if s := stateOf(t, g); s.State != endpoint.StateClosed || s.Openings != 0 || s.Cause != "" {
			t.Fatalf("healed, but %s after %d openings: %s", s.State, s.Openings, s.Cause)
		}
	})
}

func TestAProbeThatWasNotSentLeavesItsPlaceToTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := endpoint.New(endpoint.Options{})
		_ = ask(t, g, answered(503, "7"))
		let(time.Until(stateOf(t, g).Until))
		mustEnter(t, g)(endpoint.NotSent())
		if err := ask(t, g, answered(200, "")); err != nil {
			t.Fatalf("nobody may try now: %v", err)
		}
	})
}

func TestARelapseWhileRecoveringIsNoNewOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := endpoint.New(endpoint.Options{})
		for range 5 {
			_ = ask(t, g, answered(503, ""))
		}
		let(time.Until(stateOf(t, g).Until))
		_ = ask(t, g, answered(200, ""))
		_ = ask(t, g, answered(502, ""))
		if s := stateOf(t, g); s.State != endpoint.StateRecovering {
			t.Fatalf("one failure after the probe: %s after %d openings", s.State, s.Openings)
		}
		_ = ask(t, g, answered(502, ""))
		if s := stateOf(t, g); s.State != endpoint.StateOpen || s.Openings != 2 {
			t.Fatalf("two failures after the probe: %s after %d openings", s.State, s.Openings)
		}
	})
}

func TestALateFailureOfAnOutageThatIsOverChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := endpoint.New(endpoint.Options{})
		slow := mustEnter(t, g)
		for range 5 {
			_ = ask(t, g, answered(503, ""))
		}
		let(time.Until(stateOf(t, g).Until))
		_ = ask(t, g, answered(200, ""))
		slow(endpoint.NoReply("it did not answer in time"))
		if s := stateOf(t, g); s.State != endpoint.StateRecovering || s.Openings != 1 {
			t.Fatalf("%s after %d openings", s.State, s.Openings)
		}
	})
}

func TestRetryAfterHoldsTheWholeEndpoint(t *testing.T) {
	date := func(after time.Duration) string { return time.Now().Add(after).UTC().Format(http.TimeFormat) }
	tests := map[string]struct {
		status     int
		retryAfter func() string
		want       time.Duration
	}{
		"seconds on 503":               {503, func() string { return "90" }, 90 * time.Second},
		"a date on 503":                {503, func() string { return date(2 * time.Minute) }, 2 * time.Minute},
		"shorter than the first pause": {503, func() string { return "1" }, 5 * time.Second},
		"no longer than an hour":       {503, func() string { return "999999999999" }, time.Hour},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := endpoint.New(endpoint.Options{})
				_ = ask(t, g, answered(tt.status, tt.retryAfter()))
				wait := time.Until(stateOf(t, g).Until)
				if wait < tt.want || wait > tt.want+time.Second {
					t.Fatalf("held for %s, want %s", wait, tt.want)
				}
			})
		})
	}
	t.Run("not on others", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := endpoint.New(endpoint.Options{})
			_ = ask(t, g, answered(500, "90"))
			if s := stateOf(t, g); s.State != endpoint.StateClosed {
				t.Fatalf("state is %s", s.State)
			}
		})
	})
}

func TestADateInRetryAfterIsReadByTheServicesClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := endpoint.New(endpoint.Options{})
		theirs := time.Now().Add(-3 * time.Hour)
		h := http.Header{"Date": {theirs.UTC().Format(http.TimeFormat)}, "Retry-After": {theirs.Add(time.Minute).UTC().Format(http.TimeFormat)}}
		_ = ask(t, g, endpoint.Answered(503, h, time.Now()))
		if wait := time.Until(stateOf(t, g).Until); wait != time.Minute {
			t.Fatalf("held for %s, want a minute", wait)
		}
	})
}

func TestWhoWaitsIsServedInOrderAndWithinTheCap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := endpoint.New(endpoint.Options{Limits: endpoint.Limits{InFlight: 2}})
		var mu sync.Mutex
		var order []int
		var work sync.WaitGroup
		for n := range 6 {
			work.Go(func() {
				let(time.Duration(n) * 100 * time.Millisecond)
				done, err := g.Enter(t.Context(), tokens)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				order = append(order, n)
				mu.Unlock()
				let(time.Second)
				done(answered(200, ""))
			})
		}
		let(600 * time.Millisecond)
		if s := stateOf(t, g); s.InFlight != 2 || s.Waiting != 4 || g.Room(tokens) != 0 {
			t.Errorf("%d in flight, %d waiting, room for %d", s.InFlight, s.Waiting, g.Room(tokens))
		}
		work.Wait()
		if fmt.Sprint(order) != "[0 1 2 3 4 5]" {
			t.Errorf("served in the order %v", order)
		}
		if g.Room(tokens) != 2 {
			t.Errorf("room for %d when all have left", g.Room(tokens))
		}
	})
}

func TestWhoGivesUpWaitingLeavesNoTrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := endpoint.New(endpoint.Options{Limits: endpoint.Limits{InFlight: 1}})
		done := mustEnter(t, g)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := g.Enter(ctx, tokens); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("error is %v", err)
		}
		done(answered(200, ""))
		if s := stateOf(t, g); s.InFlight != 0 || s.Waiting != 0 {
			t.Fatalf("%d in flight, %d waiting", s.InFlight, s.Waiting)
		}
	})
}

func TestWhoWaitsIsSentAwayWhenTheCircuitOpens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := endpoint.New(endpoint.Options{Limits: endpoint.Limits{InFlight: 1}})
		done := mustEnter(t, g)
		result := make(chan error, 1)
		go func() {
			_, err := g.Enter(t.Context(), tokens)
			result <- err
		}()
		synctest.Wait()
		done(answered(503, "60"))
		wantClosed(t, <-result)
	})
}

func TestTheRateSpacesRequestsAndPromisesSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := endpoint.New(endpoint.Options{Of: map[string]endpoint.Limits{"auth.example": {PerSecond: 2, MaxWait: 2 * time.Second}}})
		start := time.Now()
		var mu sync.Mutex
		var entered, promised []time.Duration
		var work sync.WaitGroup
		for range 10 {
			work.Go(func() {
				done, err := g.Enter(t.Context(), tokens)
				mu.Lock()
				defer mu.Unlock()
				if closed, ok := errors.AsType[*endpoint.ClosedError](err); ok && closed.Busy {
					promised = append(promised, closed.Until.Sub(start))
					return
				}
				entered = append(entered, time.Since(start))
				done(answered(200, ""))
			})
			synctest.Wait()
		}
		work.Wait()
		if fmt.Sprint(entered) != "[0s 500ms 1s 1.5s 2s]" {
			t.Errorf("entered at %v", entered)
		}
		if fmt.Sprint(promised) != "[2.5s 3s 3.5s 4s 4.5s]" {
			t.Errorf("sent away until %v", promised)
		}
	})
}

func TestAPersonsRequestOpensTheCircuitButDoesNotProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := endpoint.New(endpoint.Options{})
		for range 5 {
			g.Observe(tokens, endpoint.NoReply("time-out"))
		}
		g.Observe(tokens, answered(200, ""))
		if s := stateOf(t, g); s.State != endpoint.StateOpen {
			t.Fatalf("state is %s", s.State)
		}
	})
}

// An endpoint that was taken for dead because it is slow is back with its first answer.
func TestALateAnswerShowsThatTheEndpointWorks(t *testing.T) {
	g := endpoint.New(endpoint.Options{})
	for range 5 {
		mustEnter(t, g)(endpoint.NoReply("it has not answered for a long time"))
	}
	wantClosed(t, ask(t, g, answered(200, "")))
	g.Late(tokens, endpoint.NoReply("a reset"))
	wantClosed(t, ask(t, g, answered(200, "")))
	g.Late(tokens, answered(200, ""))
	if err := ask(t, g, answered(200, "")); err != nil {
		t.Errorf("after a late answer: %v", err)
	}
}

func TestAServiceHasLittleRoomUntilItsEndpointIsKnown(t *testing.T) {
	g := endpoint.New(endpoint.Options{})
	before := g.KeyFor("svc-1")
	g.Learn("svc-1", tokens)
	if g.Room(before) != 8 || g.KeyFor("svc-1") != tokens || g.Room(tokens) != 64 {
		t.Fatalf("room %d as %s, then %d as %s", g.Room(before), before, g.Room(tokens), g.KeyFor("svc-1"))
	}
	g.Forget("svc-1")
	if g.KeyFor("svc-1") != before {
		t.Fatal("an edited service keeps its old endpoint")
	}
}

func TestKeysNameAnEndpointWithoutItsQuery(t *testing.T) {
	for address, want := range map[string]endpoint.Key{
		"HTTPS://Auth.Example:443/oauth/token/?code=secret": "https://auth.example/oauth/token/",
		"http://box.local:8080":                             "http://box.local:8080/",
		"http://box.local:80/a%20b":                         "http://box.local/a%20b",
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if got := endpoint.KeyOf(u); got != want {
			t.Errorf("key of %s is %s, want %s", address, got, want)
		}
	}
}

// let lets virtual time pass.
func let(d time.Duration) { waittest.Let(d) }
