package connection_test

import (
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/sdk/provider"
)

func refused(kind provider.Kind, status int, code string) *provider.Error {
	e := provider.Errorf(kind, code, "refused")
	e.HTTPStatus = status
	return e
}

func TestARefusalIsSuspiciousAfterFiveEqualOnesInTwoHours(t *testing.T) {
	for name, test := range map[string]struct {
		answers []*provider.Error // in turn, every half hour
		want    bool
	}{
		"five equal":          {[]*provider.Error{refused(provider.Internal, 400, "flux")}, true},
		"in any case":         {[]*provider.Error{refused(provider.Internal, 400, "flux"), refused(provider.Internal, 400, "FLUX")}, true},
		"without a word":      {[]*provider.Error{refused(provider.Blocked, 401, "")}, true},
		"in turn":             {[]*provider.Error{refused(provider.Internal, 400, "flux"), refused(provider.Internal, 400, "other")}, false},
		"an outage":           {[]*provider.Error{refused(provider.Transient, 503, "")}, false},
		"a malformed success": {[]*provider.Error{refused(provider.Internal, 200, "")}, false},
		"an address gone":     {[]*provider.Error{refused(provider.Internal, 404, "")}, false},
		"throttled":           {[]*provider.Error{refused(provider.Internal, 429, "flux")}, false},
		"no reply":            {[]*provider.Error{refused(provider.Internal, 0, "flux")}, false},
		"a plugin":            {[]*provider.Error{refused(provider.Internal, 400, "plugin_failed")}, false},
	} {
		c, now := granted(keeping, token(10*time.Hour, "r")), start
		for n := range 5 {
			if c.Suspicious(now) {
				t.Errorf("%s: suspicious after %d", name, n)
			}
			now = start.Add(time.Duration(n) * 30 * time.Minute)
			c = c.Failed(now, c.Generation, test.answers[n%len(test.answers)])
		}
		if got := c.Suspicious(now); got != test.want {
			t.Errorf("%s: suspicious is %t", name, got)
		}
		if soon := c.Failure.Since.Add(time.Hour); c.Suspicious(soon) {
			t.Errorf("%s: suspicious within two hours", name)
		}
	}
}

func TestAGrantIsAloneOnlyWithWhatItsServiceShows(t *testing.T) {
	for name, test := range map[string]struct {
		failure *provider.Error
		others  connection.Elsewhere
		want    bool
	}{
		"unknown words, no other":         {refused(provider.Internal, 400, "flux"), connection.Elsewhere{}, true},
		"unknown words, others rest":      {refused(provider.Internal, 400, "flux"), connection.Elsewhere{Others: 3}, true},
		"unknown words, others fail":      {refused(provider.Internal, 400, "flux"), connection.Elsewhere{Others: 3, Failing: 1}, false},
		"unknown words, some are renewed": {refused(provider.Internal, 400, "flux"), connection.Elsewhere{Others: 3, Failing: 1, Renewed: 1}, true},
		"a wrong secret, no other":        {refused(provider.Blocked, 401, "invalid_client"), connection.Elsewhere{}, false},
		"a wrong secret, others renewed":  {refused(provider.Blocked, 401, "invalid_client"), connection.Elsewhere{Others: 2, Renewed: 2}, true},
		"no words, no other":              {refused(provider.Blocked, 401, ""), connection.Elsewhere{}, true},
	} {
		c := granted(keeping, token(10*time.Hour, "r"))
		if got := c.Failed(start, c.Generation, test.failure).Alone(test.others); got != test.want {
			t.Errorf("%s: alone is %t", name, got)
		}
	}
}

func TestASuspectedGrantNeedsAPersonAndIsNotEnded(t *testing.T) {
	c := granted(rotating, token(10*time.Hour, "r"))
	c = c.Suspected(start, c.Generation, refused(provider.Internal, 400, "flux"))
	by, reason := c.PersonBy()
	if c.StatusAt(start) != connection.StatusNeedsAuthorization || !by.Equal(c.Tokens.ExpiresAt) || reason != connection.ReasonRefused {
		t.Errorf("status %s, person by %s for %q", c.StatusAt(start), by, reason)
	}
	if cause := connection.CauseOf(c, "host", "p"); cause.Who() != "person" {
		t.Errorf("the cause is %s", cause)
	}
	if c.Due.IsZero() || c.Tokens.RefreshToken != "r" || !c.Tokens.Valid(start) {
		t.Error("it is not tried on, or its tokens are gone")
	}
	if again := c.Failed(start.Add(7*time.Hour), c.Generation, refused(provider.Transient, 503, "")); again.Phase() != connection.PhaseSuspect {
		t.Errorf("an outage makes it %s", again.Phase())
	}
	if healthy := c.Renewed(start.Add(7*time.Hour), start.Add(7*time.Hour), token(10*time.Hour, "r2")); healthy.Phase() != connection.PhaseHealthy {
		t.Errorf("a renewal makes it %s", healthy.Phase())
	}
}

func TestAServiceThatRenewsOnlyAfterExpiryIsAskedOnceTooEarly(t *testing.T) {
	early := refused(provider.Transient, 400, "invalid_grant")
	early.TooEarly = true
	c := granted(rotating, token(10*time.Hour, "r"))
	now := start.Add(9 * time.Hour)
	c = c.TooEarly(now, c.Generation, early)
	if c.State != connection.StateActive || c.StatusAt(now) != connection.StatusFresh || c.Trouble() != nil || c.Cause != "" {
		t.Fatalf("it is %s, trouble %v", c.StatusAt(now), c.Trouble())
	}
	if wait := c.Due.Sub(c.Tokens.ExpiresAt); wait < time.Second || wait > 2*time.Second {
		t.Errorf("due %s after the expiry", wait)
	}
	if may, _ := c.MayRenew(now.Add(59 * time.Minute)); may {
		t.Error("a pull asks again before the expiry")
	}
	now = c.Due
	c = c.Renewed(now, now, token(10*time.Hour, "r2"))
	if wait := c.Due.Sub(c.Tokens.ExpiresAt); wait < time.Second || wait > 2*time.Second {
		t.Errorf("the next generation is due %s after its expiry", wait)
	}
	if over := c.TooEarly(c.Tokens.ExpiresAt.Add(time.Hour), c.Generation, early); over.Phase() != connection.PhaseRetrying || over.Failure.Count != 1 {
		t.Errorf("where the token is over by our clock it is %s", over.Phase())
	}
	for _, unknown := range []provider.Token{{AccessToken: "a", RefreshToken: "r"}} {
		c := granted(rotating, unknown)
		if c = c.TooEarly(start, c.Generation, early); c.State != connection.StateActive || !c.Due.After(start) {
			t.Errorf("without a known end it is %s", c.Phase())
		}
	}
}

func TestARotatedRefreshTokenOfAMalformedReplyIsKept(t *testing.T) {
	half := refused(provider.Internal, 200, "")
	half.RefreshToken = "r2"
	c := granted(rotating, token(10*time.Hour, "r1"))
	now := start.Add(9 * time.Hour)
	after := c.HalfRenewed(now, now, half)
	if after.Tokens.RefreshToken != "r2" || after.Tokens.AccessToken != c.Tokens.AccessToken || after.Generation != c.Generation+1 || after.Lineage != c.Lineage {
		t.Errorf("generation %d has another set", after.Generation)
	}
	if !after.Tokens.ExpiresAt.Equal(c.Tokens.ExpiresAt) || after.Phase() != connection.PhaseRetrying || after.Due.Sub(now) > 2*time.Second {
		t.Errorf("it is %s and due in %s", after.Phase(), after.Due.Sub(now))
	}
}
