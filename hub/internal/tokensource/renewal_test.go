package tokensource_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/operation"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/renewaldb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/hub/internal/tokensource"
	"github.com/evergrant/evergrant/hub/internal/waittest"
	"github.com/evergrant/evergrant/sdk/provider"
)

// A service that takes longer than a process waits is asked once; the process is told
// that the renewal is under way, and a later pull gets what comes of it.
func TestAPullWaitsAsLongAsItsProcessDoes(t *testing.T) {
	r := newRig(t, -time.Minute) // the access token is over
	r.start(t, nil)
	_, err := r.source.Token(t.Context(), "sales", 0, 50*time.Millisecond)
	refused, ok := errors.AsType[*tokensource.RefusedError](err)
	if !ok || !refused.InProgress || refused.Kind != provider.Transient || refused.RetryAfter <= 0 || !strings.Contains(refused.Message, "at the latest") {
		t.Fatalf("a process that did not wait is told %+v, %v", refused, err)
	}
	if token := <-r.arrived; token != "sales-r" {
		t.Errorf("the service got %q", token)
	}
	r.let <- struct{}{}
	pulled, err := r.source.Token(t.Context(), "sales", 0, 10*time.Second)
	must(t, err)
	if pulled.Connection.Tokens.AccessToken != "sales-r-a" || len(r.arrived) > 0 {
		t.Errorf("served %q, and the service was asked %d times more", pulled.Connection.Tokens.AccessToken, len(r.arrived))
	}
}

func TestAValidTokenIsServedWhileTheServiceTakesLong(t *testing.T) {
	r := newRig(t, 30*time.Second) // valid, with less life than is asked for
	r.start(t, nil)
	pulled, err := r.source.Token(t.Context(), "sales", time.Minute, 50*time.Millisecond)
	must(t, err)
	if pulled.Connection.Tokens.AccessToken != "sales-a0" {
		t.Errorf("served %q", pulled.Connection.Tokens.AccessToken)
	}
	<-r.arrived
	r.let <- struct{}{}
}

// A hung exchange gives its worker and its place at the endpoint back and goes on.
func TestAHungExchangeHoldsNobodyUp(t *testing.T) {
	r := newRig(t, time.Minute)
	r.start(t, func(_ *tokensource.Options, o *operation.Options) { o.SlowAfter = 30 * time.Millisecond })
	won, err := r.store.Renewals.TakeLease(t.Context(), r.c.ID, r.source.Owner(), time.Minute)
	if err != nil || !won {
		t.Fatal(won, err)
	}
	c := r.read(t)
	c.Due = time.Now()
	claimed, err := r.source.RenewClaimed(t.Context(), c) // returns although the service does not answer
	if err != nil || claimed.Generation != c.Generation {
		t.Fatalf("generation %d, %v", claimed.Generation, err)
	}
	<-r.arrived
	r.let <- struct{}{}
	renewed, err := r.source.Renew(t.Context(), r.c.ID, c.Generation) // joins it
	if err != nil || renewed.Generation != c.Generation+1 || len(r.arrived) > 0 {
		t.Errorf("generation %d, %d more requests, %v", renewed.Generation, len(r.arrived), err)
	}
}

// While an exchange is out nobody else gets the lease, however long it takes.
func TestTheLeaseLastsAsLongAsTheExchange(t *testing.T) {
	r := newRig(t, time.Minute)
	const lease = 300 * time.Millisecond // long enough for a machine that is busy
	r.start(t, func(o *tokensource.Options, _ *operation.Options) { o.Lease = lease })
	done := make(chan struct{})
	go func() {
		_, _ = r.source.RenewNow(t.Context(), r.c.ID, r.c.Generation)
		close(done)
	}()
	<-r.arrived
	another := storetest.Enter(t, r.store, "another")
	for begun := time.Now(); time.Since(begun) < 3*lease; {
		won, err := r.store.Renewals.TakeLease(t.Context(), r.c.ID, another, time.Minute)
		if err != nil || won {
			t.Fatalf("another replica got the lease %s after the request left: %v", time.Since(begun), err)
		}
		waittest.Past(t, time.Now().Add(lease/10))
	}
	r.let <- struct{}{}
	<-done
	if won, err := r.store.Renewals.TakeLease(t.Context(), r.c.ID, another, time.Minute); err != nil || !won {
		t.Errorf("the lease is not free after the renewal: %v", err)
	}
}

// A panic in one renewal sets that connection aside, tells the operator, and leaves the
// others and the process alone.
func TestAPanicSetsOneConnectionAside(t *testing.T) {
	r := newRig(t, time.Minute)
	other := r.add(t, "other", time.Minute)
	r.start(t, func(o *tokensource.Options, _ *operation.Options) {
		o.Attempted = func(a tokensource.Attempt) {
			if len(r.arrived) > 0 && <-r.arrived == "sales-r" {
				panic("a defect, with a secret in it")
			}
		}
	})
	r.let <- struct{}{}
	c, err := r.source.RenewNow(t.Context(), r.c.ID, r.c.Generation)
	must(t, err)
	if c.Phase() != connection.PhaseBlocked || c.Failure.Code != tokensource.CodePanic || c.Cause != "hub" || !c.Due.After(time.Now().Add(4*time.Minute)) {
		t.Errorf("it is %s, cause %q, due in %s: %+v", c.Phase(), c.Cause, time.Until(c.Due), c.Failure)
	}
	r.let <- struct{}{}
	if c, err := r.source.RenewNow(t.Context(), other.ID, other.Generation); err != nil || c.Generation != other.Generation+1 {
		t.Errorf("the other one is at generation %d, %v", c.Generation, err)
	}
	if won, err := r.store.Renewals.TakeLease(t.Context(), r.c.ID, storetest.Enter(t, r.store, "another"), time.Minute); err != nil || !won {
		t.Errorf("its lease is still held: %v", err)
	}
}

// A hub that was stopped between deciding and writing does not write when another
// replica has taken over, or when it is too late.
func TestWhatWasDecidedLongAgoIsNotSent(t *testing.T) {
	r := newRig(t, time.Minute)
	r.start(t, nil)
	now := time.Now()
	lease, err := r.store.Renewals.TakeLease(t.Context(), r.c.ID, r.source.Owner(), time.Minute)
	if err != nil || !lease {
		t.Fatal(lease, err)
	}
	begin := func(started time.Time, sendBy time.Time) renewaldb.Intent {
		i := renewaldb.Intent{ID: store.NewID(), ConnectionID: r.c.ID, Generation: 1, Owner: r.source.Owner(), StartedAt: started, SendBy: sendBy, Deadline: sendBy}
		must(t, r.store.Renewals.BeginIntent(t.Context(), i))
		return i
	}
	drop := func(i renewaldb.Intent) { must(t, r.store.Renewals.DropIntent(t.Context(), i.ID)) }
	for name, tt := range map[string]struct {
		age     time.Duration
		sendBy  time.Duration
		dropped bool
		want    error
	}{
		"just decided":                     {0, time.Minute, false, nil},
		"just decided: nobody is asked":    {0, time.Minute, true, nil},
		"stopped in between, still ours":   {10 * time.Second, time.Minute, false, nil},
		"stopped in between, taken over":   {10 * time.Second, time.Minute, true, store.ErrStale},
		"stopped in between, and too late": {10 * time.Second, -time.Second, false, store.ErrStale},
	} {
		t.Run(name, func(t *testing.T) {
			i := begin(now.Add(-tt.age), time.Now().Add(tt.sendBy))
			if tt.dropped {
				drop(i)
			}
			must(t, r.journal.Begin(i.ID, nil))
			if err := r.source.FenceOf(i)(t.Context()); !errors.Is(err, tt.want) {
				t.Errorf("the fence says %v, want %v", err, tt.want)
			}
			op, _ := r.journal.Operation(i.ID)
			if op.Sending != (tt.want == nil) {
				t.Errorf("marked as being sent: %t", op.Sending)
			}
			drop(i)
		})
	}
}
