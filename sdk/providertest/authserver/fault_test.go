package authserver_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providertest/authserver"
)

func TestEveryFaultIsReadForWhatItIs(t *testing.T) {
	for name, test := range map[string]struct {
		fault authserver.Fault
		kind  provider.Kind
		late  bool // the work was done
	}{
		"503":          {authserver.Unavailable(503), provider.Transient, false},
		"429":          {authserver.TooManyRequests(time.Minute), provider.Transient, false},
		"error in 200": {authserver.ErrorWith200("invalid_client"), provider.Blocked, false},
		"HTML":         {authserver.HTMLBody(), provider.Internal, false},
		"cut":          {authserver.CutBody(), provider.Transient, true},
	} {
		c := start(t, authserver.Config{})
		token := c.granted()
		c.server.SetFault(test.fault)
		_, err := c.refresh(token)
		if provider.KindOf(err) != test.kind {
			t.Errorf("%s: got %v", name, err)
		}
		if e, _ := errors.AsType[*provider.Error](err); name == "429" && e.RetryAfter != time.Minute {
			t.Errorf("Retry-After is %v", e.RetryAfter)
		}
		if c.server.TokenRequests("refresh_token") != 1 {
			t.Errorf("%s: %d requests were made", name, c.server.TokenRequests("refresh_token"))
		}
		want := authserver.Valid
		if test.late {
			want = authserver.Spent
		}
		if got := c.server.RefreshTokenState(token.RefreshToken); got != want {
			t.Errorf("%s: the refresh token is %s, want %s", name, got, want)
		}
		c.server.ClearFaults()
	}
}

func TestOddRepliesStillGiveTheirTokens(t *testing.T) {
	c := start(t, authserver.Config{})
	token := c.granted()
	for _, test := range []struct {
		fault authserver.Fault
		life  *time.Duration
	}{
		{authserver.WithoutField("expires_in"), nil},
		{authserver.ExpiresInAsString(), new(time.Hour)},
		{authserver.ExpiresInMilliseconds(), new(1000 * time.Hour)},
	} {
		test.fault.Times = 1
		c.server.SetFault(test.fault)
		next, err := c.refresh(token)
		if err != nil {
			t.Fatal(err)
		}
		if (next.ExpiresIn == nil) != (test.life == nil) || (test.life != nil && *next.ExpiresIn != *test.life) {
			t.Errorf("the lifetime is %v, want %v", next.ExpiresIn, test.life)
		}
		token = next
	}
	f := authserver.WithoutField("refresh_token")
	f.Times = 1
	c.server.SetFault(f)
	if next, err := c.refresh(token); err != nil || next.RefreshToken != "" {
		t.Errorf("without a refresh token: %v, %v", next, err)
	}
}

func TestAStalledReplyEndsWithTheClientOrTheFault(t *testing.T) {
	c := start(t, authserver.Config{})
	// Each request has a grant of its own: the server may not have seen that the first
	// client is gone when the fault ends.
	token, another := c.granted(), c.granted()
	struck := make(chan struct{}, 2)
	f := authserver.Stalled()
	f.Struck = func() { struck <- struct{}{} }
	c.server.SetFault(f)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		_, err := c.p.Refresh(ctx, &provider.RefreshRequest{Call: c.call(), Current: *token})
		done <- err
	}()
	<-struck
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) || provider.KindOf(err) != provider.Transient {
		t.Errorf("got %v", err)
	}
	go func() {
		_, err := c.refresh(another)
		done <- err
	}()
	<-struck
	c.server.ClearFaults()
	if err := <-done; err != nil {
		t.Errorf("the released request gave %v", err)
	}
}

func TestTheHookRunsBetweenRotationAndReply(t *testing.T) {
	var c *client
	var seen authserver.State
	var old *provider.Token
	c = start(t, authserver.Config{OnRotated: func() { seen = c.server.RefreshTokenState(old.RefreshToken) }})
	old = c.granted()
	if _, err := c.refresh(old); err != nil || seen != authserver.Spent {
		t.Errorf("the hook saw a refresh token that was %q, error %v", seen, err)
	}
}
