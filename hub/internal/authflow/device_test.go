package authflow_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/authflow"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/authdb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/hub/internal/waittest"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providertest/authserver"
)

const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"

// deviceEnd is how a device authorization ended.
type deviceEnd struct {
	finished *authflow.Finished
	err      error
}

// forDevices is a rig whose service serves device codes, and a connection of it. Its hub
// asks every second.
func forDevices(t *testing.T, s *store.Store, config authserver.Config) (*rig, connection.Connection) {
	t.Helper()
	config.DeviceInterval = time.Second
	r := newRig(t, s, config)
	r.service = r.registerWith(t, "tv", map[string]any{"issuer": r.address, "grants": "device_code"})
	c := connection.New(time.Now(), store.NewID(), "tv", "tv", r.service.ID, connection.PolicyOf(r.service.Description, provider.GrantDevice))
	c.Grant = provider.GrantDevice
	must(t, s.Grants.CreateConnection(t.Context(), c))
	return r, c
}

// polling is a replica that asks, until the test ends.
func (r *rig) polling(t *testing.T, granted func(connection.Connection)) (*authflow.Flow, chan deviceEnd) {
	t.Helper()
	ends := make(chan deviceEnd, 10)
	flow := authflow.New(authflow.Options{
		Store: r.store, Runner: r.runner, Logger: hclog.NewNullLogger(), PublicURL: publicURL, Granted: granted,
		DeviceEnded: func(_ context.Context, _ *authdb.Device, finished *authflow.Finished, err error) {
			ends <- deviceEnd{finished, err}
		},
	})
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { flow.PollDevices(ctx); close(done) }()
	t.Cleanup(func() { stop(); <-done; flow.Wait() })
	return flow, ends
}

func startDevice(t *testing.T, f *authflow.Flow, c connection.Connection) *authdb.Device {
	t.Helper()
	d, err := f.StartDevice(t.Context(), authflow.DeviceRequest{ConnectionID: c.ID, UserID: "anna", Lang: "en"})
	must(t, err)
	return d
}

// Of two replicas one asks at a time; the person's answer becomes the grant of the
// connection, and the codes are forgotten.
func TestACodeEnteredOnAnotherDeviceBecomesAGrant(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		r, c := forDevices(t, s, authserver.Config{})
		granted := func(c connection.Connection) { r.granted <- c }
		flow, ends := r.polling(t, granted)
		_, others := r.polling(t, granted)
		d := startDevice(t, flow, c)
		if d.PollEvery != time.Second || d.State != authdb.DevicePending || d.Started.UserCode == "" || d.Started.VerificationURIComplete == "" {
			t.Errorf("begun as %+v", d.Started.VerificationURI)
		}
		waittest.Until(t, "the service to be asked twice", func() bool { return r.server.TokenRequests(deviceGrant) >= 2 })
		if !r.server.DecideDevice(d.Started.UserCode, "anna@example.test") {
			t.Fatal("the code is unknown to the service")
		}
		var end deviceEnd
		select {
		case end = <-ends:
		case end = <-others:
		}
		must(t, end.err)
		saved, err := s.Grants.Connection(t.Context(), c.ID)
		must(t, err)
		if saved.Generation != 1 || saved.Account.ID != "1" || r.server.TokenState(saved.Tokens.AccessToken) != authserver.Valid ||
			r.server.RefreshTokenState(saved.Tokens.RefreshToken) != authserver.Valid || end.finished.Connection.ID != c.ID {
			t.Errorf("saved generation %d of account %q", saved.Generation, saved.Account.ID)
		}
		left, err := flow.Device(t.Context(), c.ID)
		must(t, err)
		if left.State != authdb.DeviceAuthorized || left.Started.DeviceCode != "" || left.Started.UserCode != "" {
			t.Errorf("it is %s, and its codes are kept: %t", left.State, left.Started.DeviceCode != "")
		}
		if r.server.DoubleSpent() != 0 || len(r.runner.PendingDevices()) != 0 {
			t.Errorf("spent twice: %d; open in the journal: %d", r.server.DoubleSpent(), len(r.runner.PendingDevices()))
		}
	})
}

func TestADeviceAuthorizationEndsWithoutAGrant(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		config authserver.Config
		decide func(t *testing.T, r *rig, d *authdb.Device)
		state  authdb.DeviceState
		reason authflow.Reason
	}{
		"denied": {decide: func(_ *testing.T, r *rig, d *authdb.Device) { r.server.DecideDevice(d.Started.UserCode, "") }, state: authdb.DeviceDenied, reason: authflow.ReasonDenied},
		"expired": {config: authserver.Config{DeviceCodeLife: 2 * time.Second}, decide: func(*testing.T, *rig, *authdb.Device) {},
			state: authdb.DeviceExpired, reason: authflow.ReasonExpiredCode},
		"by another account": {decide: func(t *testing.T, r *rig, d *authdb.Device) {
			c, err := r.store.Grants.Connection(t.Context(), d.ConnectionID)
			must(t, err)
			of := c
			of.Account = provider.Account{ID: "1", Name: "anna@example.test"}
			must(t, r.store.Grants.UpdateConnection(t.Context(), of, c))
			r.server.DecideDevice(d.Started.UserCode, "boris@example.test")
		}, state: authdb.DeviceFailed, reason: authflow.ReasonOtherAccount},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, c := forDevices(t, storetest.SQLite(t), tt.config)
			flow, ends := r.polling(t, nil)
			d := startDevice(t, flow, c)
			tt.decide(t, r, d)
			wantFailure(t, waittest.For(t, "the end", ends).err, tt.reason)
			left, err := flow.Device(t.Context(), c.ID)
			must(t, err)
			if left.State != tt.state || left.End.Reason != string(tt.reason) || left.End.Reference == "" || left.Started.DeviceCode != "" {
				t.Errorf("it is %s because of %+v", left.State, left.End)
			}
			if c, err := r.store.Grants.Connection(t.Context(), c.ID); err != nil || c.Generation != 0 {
				t.Errorf("generation %d, %v", c.Generation, err)
			}
		})
	}
}

// A service that is away is asked again, less often.
func TestAServiceThatIsNotReadyIsAskedLessOften(t *testing.T) {
	t.Parallel()
	r, c := forDevices(t, storetest.SQLite(t), authserver.Config{})
	r.server.SetFault(authserver.Unavailable(503))
	flow, ends := r.polling(t, nil)
	d := startDevice(t, flow, c)
	every := func() time.Duration {
		d, err := flow.Device(t.Context(), c.ID)
		must(t, err)
		return d.PollEvery
	}
	waittest.Until(t, "the interval to double", func() bool { return every() == 2*time.Second })
	r.server.ClearFaults()
	r.server.DecideDevice(d.Started.UserCode, "anna@example.test")
	must(t, waittest.For(t, "the end", ends).err)
}

// Each slow_down adds five seconds to the interval for good (RFC 8628 section 3.5): the next
// request waits for that long, and an answer that the person is still awaited leaves it. The
// server of this test refuses to be asked sooner.
func TestSlowDownRaisesTheIntervalForGood(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64 // of the server's clock
	r, c := forDevices(t, storetest.SQLite(t), authserver.Config{Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }})
	d := startDevice(t, r.flow, c)
	for _, step := range []struct {
		later, every time.Duration
	}{
		{0, time.Second},
		{0, 6 * time.Second}, // too soon
		{0, 11 * time.Second},
		{11 * time.Second, 11 * time.Second}, // pending
		{11 * time.Second, 11 * time.Second},
		{0, 16 * time.Second},
	} {
		ahead.Add(int64(step.later))
		before := time.Now()
		next, err := authflow.PollDeviceAt(t.Context(), r.flow, d, before)
		must(t, err)
		earliest, latest := before.Add(step.every).Truncate(time.Millisecond), time.Now().Add(step.every)
		if next.State != authdb.DevicePending || next.PollEvery != step.every || next.NextPollAt.Before(earliest) || next.NextPollAt.After(latest) {
			t.Fatalf("asked %s later it is %s, asked every %s, the next time in %s; want %s", step.later, next.State, next.PollEvery, next.NextPollAt.Sub(before), step.every)
		}
		d = next
	}
	ahead.Add(int64(16 * time.Second))
	r.server.DecideDevice(d.Started.UserCode, "anna@example.test")
	if d, err := authflow.PollDeviceAt(t.Context(), r.flow, d, time.Now()); err != nil || d.State != authdb.DeviceAuthorized {
		t.Errorf("after the person agreed it is %+v, %v", d, err)
	}
}

// A reply that was journaled and not saved, as by a hub that was killed, is saved by the
// next one: the service gives the tokens of a code once.
func TestTheTokensOfADeviceCodeOutliveACrash(t *testing.T) {
	t.Parallel()
	r, c := forDevices(t, storetest.SQLite(t), authserver.Config{})
	d := startDevice(t, r.flow, c)
	r.server.DecideDevice(d.Started.UserCode, "anna@example.test")
	must(t, authflow.AskDeviceAndDie(t.Context(), r.flow, d))
	if n := len(r.runner.PendingDevices()); n != 1 {
		t.Fatalf("%d replies are in the journal", n)
	}
	_, ends := r.polling(t, nil)
	must(t, waittest.For(t, "the end", ends).err)
	saved, err := r.store.Grants.Connection(t.Context(), c.ID)
	must(t, err)
	if saved.Generation != 1 || r.server.RefreshTokenState(saved.Tokens.RefreshToken) != authserver.Valid {
		t.Errorf("generation %d", saved.Generation)
	}
	if n := r.server.TokenRequests(deviceGrant); n != 1 || r.server.DoubleSpent() != 0 {
		t.Errorf("the service was asked %d times", n)
	}
	waittest.Until(t, "the journal to be empty", func() bool { return len(r.runner.PendingDevices()) == 0 })
}

func TestOnlyItsBrowserSeesTheCodeOfALink(t *testing.T) {
	t.Parallel()
	r, c := forDevices(t, storetest.SQLite(t), authserver.Config{})
	token, _, err := r.flow.MakeLink(t.Context(), c.ID, "anna", "Anna")
	must(t, err)
	_, d, err := r.flow.FollowLinkToDevice(t.Context(), token, browser, "en")
	must(t, err)
	if d.LinkedBy != "Anna" {
		t.Errorf("linked by %q", d.LinkedBy)
	}
	if _, _, err := r.flow.FollowLinkToDevice(t.Context(), token, "another", "en"); !errors.Is(err, authflow.ErrLinkTaken) {
		t.Errorf("another browser follows it: %v", err)
	}
	seen, linked, err := r.flow.DeviceOfBrowser(t.Context(), token, browser)
	must(t, err)
	if seen.ID != d.ID || linked.Connection.ID != c.ID {
		t.Error("it is another's")
	}
	if _, _, err := r.flow.DeviceOfBrowser(t.Context(), token, "another"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("another browser sees it: %v", err)
	}
	other := r.connection(t, "sales")
	if _, err := r.flow.StartDevice(t.Context(), authflow.DeviceRequest{ConnectionID: other.ID}); !errors.Is(err, authflow.ErrNoDevice) {
		t.Errorf("a connection that is authorized in the browser: %v", err)
	}
}
