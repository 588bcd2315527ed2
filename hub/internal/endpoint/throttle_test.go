package endpoint_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/evergrant/evergrant/hub/internal/endpoint"
)

// A 429 is the grant's that got it, until several grants in a row have got one.
func TestA429BindsItsGrantBeforeTheEndpoint(t *testing.T) {
	for name, test := range map[string]struct {
		grants []string // that are answered 429; "" is one that is answered well
		whose  endpoint.Counted
		open   bool
	}{
		"one grant":                    {[]string{"a"}, "", false},
		"one grant again and again":    {[]string{"a", "a", "a", "a", "a", "a"}, "", false},
		"two grants":                   {[]string{"a", "b", "a", "b"}, "", false},
		"three grants":                 {[]string{"a", "b", "c"}, "", true},
		"three with an answer between": {[]string{"a", "b", "", "c"}, "", false},
		"three, counted by account":    {[]string{"a", "b", "c", "d"}, endpoint.CountedByAccount, false},
		"one, counted by client":       {[]string{"a"}, endpoint.CountedByClient, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := endpoint.New(endpoint.Options{})
				for _, grant := range test.grants {
					outcome := answered(200, "")
					if grant != "" {
						outcome = answered(429, "3600").Of(grant, test.whose)
					}
					_ = ask(t, g, outcome)
				}
				s := stateOf(t, g)
				if open := s.State == endpoint.StateOpen; open != test.open {
					t.Fatalf("state is %s", s.State)
				}
				if wait := time.Until(s.Until); test.open && wait != time.Hour {
					t.Errorf("it is left alone for %s, want what the service asked for", wait)
				}
			})
		})
	}
}

// After an outage of 45 s of an endpoint that few ask, it is asked again within a quarter
// of that, and a reply that is cut off later opens nothing.
func TestAnEndpointThatFewAskIsForgivenSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, begun := endpoint.New(endpoint.Options{}), time.Now()
		over := begun.Add(45 * time.Second)
		for {
			outcome := answered(503, "")
			if !time.Now().Before(over) {
				outcome = answered(200, "")
			}
			if ask(t, g, outcome) == nil && !time.Now().Before(over) {
				break
			}
			let(time.Second)
		}
		if late := time.Since(over); late > 14*time.Second {
			t.Fatalf("found out %s after the outage", late)
		}
		let(15 * time.Second)
		for range 2 { // a cut reply now and then
			_ = ask(t, g, endpoint.NoReply("the reply was cut off"))
			if s := stateOf(t, g); s.State == endpoint.StateOpen {
				t.Fatal("one cut reply stopped it")
			}
			_ = ask(t, g, answered(200, ""))
		}
		if s := stateOf(t, g); s.State != endpoint.StateClosed {
			t.Errorf("it is %s long after its outage", s.State)
		}
	})
}
