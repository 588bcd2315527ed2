package tokensource_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/endpoint"
	"github.com/evergrant/evergrant/hub/internal/operation"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/hub/internal/tokensource"
	"github.com/evergrant/evergrant/sdk/provider"
)

// wantRefused is why there is no token.
func wantRefused(t *testing.T, err error, kind provider.Kind, says string) *tokensource.RefusedError {
	t.Helper()
	refused, ok := errors.AsType[*tokensource.RefusedError](err)
	if !ok || refused.Kind != kind || !strings.Contains(refused.Error(), says) {
		t.Fatalf("got %v, want %s saying %q", err, kind, says)
	}
	return refused
}

func TestARenewalOnRequestEndsWithTheNextTokenSet(t *testing.T) {
	t.Parallel()
	r := newRig(t, time.Hour)
	var attempts []tokensource.Attempt
	r.start(t, func(o *tokensource.Options, _ *operation.Options) {
		o.Attempted = func(a tokensource.Attempt) { attempts = append(attempts, a) }
	})
	r.let <- struct{}{}
	c, err := r.source.Ask(t.Context(), r.c, time.Minute)
	must(t, err)
	if c.Generation != 2 || c.Tokens.RefreshToken != "sales-r+" {
		t.Errorf("generation %d", c.Generation)
	}
	if len(attempts) != 1 || attempts[0].Outcome() != "renewed" || attempts[0].Service.Name != "svc" {
		t.Errorf("told of %d attempts", len(attempts))
	}
}

func TestWhoDoesNotWaitIsToldThatTheRenewalGoesOn(t *testing.T) {
	t.Parallel()
	r := newRig(t, -time.Minute)
	r.start(t, nil)
	_, err := r.source.Ask(t.Context(), r.c, 50*time.Millisecond)
	refused := wantRefused(t, err, provider.Transient, "has not answered yet")
	if !refused.InProgress || refused.RetryAfter <= 0 {
		t.Errorf("%+v", refused)
	}
	<-r.arrived
	_, err = r.source.Token(t.Context(), r.c.Name, 0, time.Millisecond)
	if refused := wantRefused(t, err, provider.Transient, "is waited for until"); !refused.InProgress {
		t.Errorf("a pull is told %+v", refused)
	}
	r.let <- struct{}{}
	pulled, err := r.source.Token(t.Context(), r.c.Name, 0, time.Minute)
	must(t, err)
	if pulled.Connection.Generation != 2 || len(r.arrived) != 0 {
		t.Errorf("generation %d", pulled.Connection.Generation)
	}
}

// Nothing is sent for a connection that no request can help, and each says who has to act.
func TestWhatCannotBeRenewedSaysWhoHasToAct(t *testing.T) {
	t.Parallel()
	r := newRig(t, -time.Minute)
	r.start(t, nil)
	now := time.Now()
	of := func(change func(*connection.Connection)) connection.Connection {
		c := r.c
		change(&c)
		return c
	}
	for name, tt := range map[string]struct {
		c    connection.Connection
		kind provider.Kind
		says string
	}{
		"paused":         {r.c.Paused(now), provider.Blocked, "paused"},
		"given back":     {r.c.Revoked(now), provider.ReauthorizationRequired, "given back"},
		"never granted":  {connection.New(now, "id", "n", "n", r.service.ID, connection.PolicyOf(r.service.Description, provider.GrantAuthorizationCode)), provider.ReauthorizationRequired, "Nobody"},
		"ended":          {of(func(c *connection.Connection) { c.State = connection.StateEnded }), provider.ReauthorizationRequired, "ended the grant"},
		"no more tokens": {of(func(c *connection.Connection) { c.Tokens.RefreshToken = "" }), provider.ReauthorizationRequired, "authorize"},
	} {
		_, err := r.source.Ask(t.Context(), tt.c, time.Minute)
		wantRefused(t, err, tt.kind, tt.says)
		if _, err := r.source.Rejected(t.Context(), tt.c, tt.c.Generation, time.Minute); err == nil {
			t.Errorf("%s: a rejected token is renewed", name)
		}
		if _, err := r.source.Serve(t.Context(), tt.c, 0, time.Minute); err == nil {
			t.Errorf("%s: a token is handed out", name)
		}
	}
	if len(r.arrived) != 0 {
		t.Error("the service was asked")
	}
}

// closedEndpoint opens the circuit of the rig's endpoint.
func (r *rig) closedEndpoint() func(*tokensource.Options, *operation.Options) {
	return func(o *tokensource.Options, _ *operation.Options) {
		for range 5 {
			o.Limiter.Observe(o.Limiter.KeyFor(r.service.ID), endpoint.NoReply("time-out"))
		}
	}
}

// While an endpoint is known to be down nothing is sent, by whatever way, and nothing
// counts against the grant.
func TestAnEndpointThatIsDownIsLeftAlone(t *testing.T) {
	t.Parallel()
	r := newRig(t, -time.Minute)
	r.start(t, r.closedEndpoint())
	_, err := r.source.Ask(t.Context(), r.c, time.Minute)
	if refused := wantRefused(t, err, provider.Transient, "Nothing was sent"); refused.RetryAfter <= 0 {
		t.Errorf("asked again after %s", refused.RetryAfter)
	}
	_, err = r.source.Token(t.Context(), r.c.Name, 0, time.Minute)
	wantRefused(t, err, provider.Transient, "time-out")
	old := r.c
	old.RenewedAt = old.RenewedAt.Add(-time.Minute)
	_, err = r.source.Rejected(t.Context(), old, old.Generation, time.Minute)
	wantRefused(t, err, provider.Transient, "time-out")
	c, err := r.source.RenewNow(t.Context(), r.c.ID, r.c.Generation)
	must(t, err)
	if c.Generation != 1 || c.Failure != nil || connection.ParseCause(c.Cause).Kind != connection.CauseOutage || !c.Due.After(time.Now()) || len(r.arrived) != 0 {
		t.Errorf("generation %d, cause %q, due %s", c.Generation, c.Cause, c.Due)
	}
}

// However many report a rejected token, it is renewed once, and not again while it is young.
func TestARejectedTokenIsRenewedOnceForAllWhoReportIt(t *testing.T) {
	t.Parallel()
	r := newRig(t, time.Hour)
	r.start(t, nil)
	young := r.c
	young.RenewedAt = time.Now()
	_, err := r.source.Rejected(t.Context(), young, 1, time.Minute)
	if refused := wantRefused(t, err, provider.Transient, "seconds old"); !refused.TooSoon || refused.RetryAfter <= 0 {
		t.Errorf("%+v", refused)
	}
	old := r.c
	old.RenewedAt = old.RenewedAt.Add(-time.Minute)
	r.let <- struct{}{}
	pulled, err := r.source.Rejected(t.Context(), old, 1, time.Minute)
	must(t, err)
	again, err := r.source.Rejected(t.Context(), pulled.Connection, 1, time.Minute)
	must(t, err)
	if pulled.Connection.Generation != 2 || again.Connection.Generation != 2 || len(r.arrived) != 1 {
		t.Errorf("generations %d and %d, asked %d times", pulled.Connection.Generation, again.Connection.Generation, len(r.arrived))
	}
}

// Another replica's renewal is waited for, as long as the caller does.
func TestALeaseOfAnotherReplicaIsWaitedFor(t *testing.T) {
	t.Parallel()
	r := newRig(t, -time.Minute)
	waited := make(chan bool, 10)
	r.start(t, func(o *tokensource.Options, _ *operation.Options) {
		o.Waited = func(_ time.Duration, otherHub bool) { waited <- otherHub }
	})
	other := storetest.Enter(t, r.store, "another-replica")
	if won, err := r.store.Renewals.TakeLease(t.Context(), r.c.ID, other, time.Hour); err != nil || !won {
		t.Fatal(won, err)
	}
	ctx, hangUp := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer hangUp()
	if _, err := r.source.Renew(ctx, r.c.ID, 1); !errors.Is(err, context.DeadlineExceeded) || len(r.arrived) != 0 {
		t.Fatalf("it was not waited for: %v", err)
	}
	must(t, r.store.Renewals.FreeLeases(t.Context(), other, r.c.ID))
	r.let <- struct{}{}
	c, err := r.source.Renew(t.Context(), r.c.ID, 1)
	must(t, err)
	if c.Generation != 2 || len(r.arrived) != 1 {
		t.Errorf("generation %d", c.Generation)
	}
	if first, second := <-waited, <-waited; !first && !second {
		t.Error("nobody was told that another hub was waited for")
	}
}
