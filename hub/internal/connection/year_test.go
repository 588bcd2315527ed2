package connection_test

import (
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/connection/connectiontest"
	"github.com/evergrant/evergrant/sdk/provider"
)

// latency is how long a service takes to answer.
const latency = 300 * time.Millisecond

// aYear is a connection that lives by the rules alone.
type aYear struct {
	now time.Time
	c   connection.Connection
	s   *connectiontest.Service
}

// renew is a renewal as tokensource makes it.
func (y *aYear) renew() {
	if may, _ := y.c.MayRenew(y.now); !may {
		y.c.Due = y.c.NextDue(y.now)
		return
	}
	asked := y.now
	y.now = y.now.Add(latency)
	reply, failure := y.s.Refresh(y.now, y.c.Tokens.Token(asked))
	if failure != nil {
		y.c = y.c.Failed(y.now, y.c.Generation, failure)
		return
	}
	y.c = y.c.Renewed(y.now, asked, *reply)
}

// pull gets a token as a process does: again and again while it is told to wait.
func (y *aYear) pull(t *testing.T) {
	t.Helper()
	for range 20 {
		if y.c.Enough(y.now, time.Minute) {
			break
		}
		may, again := y.c.MayRenew(y.now)
		if !may && again.After(y.now) && !y.c.Tokens.Valid(y.now) {
			y.now = again
			continue
		}
		if y.renew(); y.c.Tokens.Valid(y.now) {
			break
		}
	}
	if !y.s.Accepts(y.now, y.c.Tokens.AccessToken) {
		t.Fatalf("%s after the start there is no token that the service takes: %s, %v", y.now.Sub(start), y.c.Phase(), y.c.Failure)
	}
}

// person checks that nobody is needed before the declared time and somebody is
// after it, and authorizes again.
func (y *aYear) person(t *testing.T, by time.Time) {
	t.Helper()
	if status := y.c.StatusAt(by.Add(-time.Minute)); status != connection.StatusExpires {
		t.Fatalf("a minute before the declared end the status is %s", status)
	}
	if status := y.c.StatusAt(by); status != connection.StatusNeedsAuthorization {
		t.Fatalf("at the declared end the status is %s", status)
	}
	y.now = by
	y.c = y.c.Granted(y.now, y.now, y.s.Grant(y.now), provider.Account{}, nil)
}

func TestAYearOfEachProviderByTheRules(t *testing.T) {
	for name, year := range connectiontest.Years() {
		t.Run(name, func(t *testing.T) {
			y := &aYear{now: start, s: year.Service}
			y.c = connection.New(start, "id-1", "n", "t", "s", connection.PolicyOf(&year.Service.Description, provider.GrantAuthorizationCode)).
				Granted(start, start, year.Service.Grant(start), provider.Account{}, nil)
			persons, nextPull, end := 0, start.Add(year.Every), start.Add(365*day)
			for {
				by, _ := y.c.PersonBy()
				next := nextPull
				if !y.c.Due.IsZero() && y.c.Due.Before(next) {
					next = y.c.Due
				}
				if next.After(end) {
					break
				}
				if next.After(y.now) {
					y.now = next
				}
				switch {
				case !by.IsZero() && !by.After(next):
					y.person(t, by)
					persons++
				case next.Equal(nextPull):
					if year.Pulls(nextPull.Sub(start)) {
						y.pull(t)
					}
					nextPull = nextPull.Add(year.Every)
				default:
					y.renew()
				}
				if status := y.c.StatusAt(y.now); status == connection.StatusNeedsAuthorization || status == connection.StatusNeedsOperator {
					t.Fatalf("%s after the start the status is %s: %v", y.now.Sub(start), status, y.c.Failure)
				}
			}
			t.Logf("%+v, a person %d times", year.Service.Tally(), persons)
			year.Check(t, 365*day, persons)
		})
	}
}
