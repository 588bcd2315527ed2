package authflow

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/evergrant/evergrant/hub/internal/operation"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/authdb"
	"github.com/evergrant/evergrant/sdk/provider"
)

// How device authorizations are looked for.
const (
	devicesLook     = 5 * time.Second // at most, for those that other replicas began
	devicesReplay   = time.Minute
	mostDevicesDue  = 100
	mostDevicePolls = 16 // at once
)

// The codes of RFC 8628 section 3.5 that mean waiting.
const (
	codePending  = "authorization_pending"
	codeSlowDown = "slow_down"
)

// devices are the requests for device authorizations of this replica.
type devices struct {
	woken chan struct{}
	slots chan struct{}
	mu    *sync.Mutex
	out   map[string]bool // operations that are under way, by ID
}

func newDevices() devices {
	return devices{woken: make(chan struct{}, 1), slots: make(chan struct{}, mostDevicePolls), mu: &sync.Mutex{}, out: map[string]bool{}}
}

// wake has PollDevices look again.
func (d *devices) wake() {
	select {
	case d.woken <- struct{}{}:
	default:
	}
}

// begin marks an operation as under way; false if it is already.
func (d *devices) begin(id string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	begun := !d.out[id]
	d.out[id] = true
	return begun
}

func (d *devices) end(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.out, id)
}

// PollDevices asks services, until ctx ends, whether people have answered device
// authorizations. Each request is sent by one replica: the one that moves its row. Replies
// that were journaled and not saved, by this run or one before, are saved first.
func (f *Flow) PollDevices(ctx context.Context) {
	var replayed time.Time
	for ctx.Err() == nil {
		if now := time.Now(); now.Sub(replayed) >= devicesReplay && f.o.Store.Detached(ctx) == nil {
			replayed = now
			f.replayDevices(ctx)
		}
		timer := time.NewTimer(f.pollDue(ctx))
		select {
		case <-ctx.Done():
		case <-f.devices.woken:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// pollDue polls what is due and returns when to look again.
func (f *Flow) pollDue(ctx context.Context) time.Duration {
	if f.o.Store.Detached(ctx) != nil {
		return devicesLook
	}
	all, err := f.o.Store.Authorizations.PendingDevices(ctx, mostDevicesDue)
	if err != nil {
		if ctx.Err() == nil {
			f.o.Logger.Warn("look for device authorizations failed, next attempt soon", "error", err)
		}
		return devicesLook
	}
	for _, d := range all {
		now := f.o.Clock.Now()
		if wait := d.NextPollAt.Sub(now); wait > 0 && d.ExpiresAt.After(now) {
			return min(wait, devicesLook)
		}
		f.claimDevice(ctx, d, now)
	}
	return time.Second
}

// claimDevice polls a device authorization, unless another replica does or too much is
// under way: then it stays due.
func (f *Flow) claimDevice(ctx context.Context, d *authdb.Device, now time.Time) {
	select {
	case f.devices.slots <- struct{}{}:
	default:
		return
	}
	until := now.Add(f.o.MaxWait + 15*time.Second)
	mine, err := f.o.Store.Authorizations.ClaimDevice(ctx, d, until)
	if err != nil || !mine {
		<-f.devices.slots
		return
	}
	f.work.Go(func() {
		defer func() { <-f.devices.slots; f.devices.wake() }()
		f.pollDevice(context.WithoutCancel(ctx), d, until, now)
	})
}

// pollDevice asks once. claimed is the next request as the claim has set it.
func (f *Flow) pollDevice(ctx context.Context, d *authdb.Device, claimed, now time.Time) {
	for _, op := range f.o.Runner.PendingDevices() {
		if meta, _ := operation.DeviceOf(op); meta.DeviceID == d.ID && len(op.Replies) > 0 && !f.devices.has(op.ID) {
			f.replayDevice(ctx, op, meta) // it may hold the tokens, which the service gives once
			return
		}
	}
	if !d.ExpiresAt.After(now) {
		f.endDevice(ctx, d, authdb.DeviceExpired, f.failDevice(ctx, d, provider.Errorf(provider.ReauthorizationRequired, "expired_token", "the code was not entered in time")))
		return
	}
	meta := operation.DeviceMeta{DeviceID: d.ID, DeviceConnection: d.ConnectionID, Scopes: d.Scopes, Asked: now, Data: d.Started.Data}
	wait := f.askDevice(ctx, d, store.NewID(), meta, nil)
	if wait <= 0 {
		return
	}
	if err := f.o.Store.Authorizations.PutOffDevice(ctx, d, claimed, f.o.Clock.Now().Add(wait), wait); err != nil {
		f.o.Logger.Warn("put off a device authorization failed, next attempt when its claim ends", "connection_id", d.ConnectionID, "error", err)
	}
}

// askDevice runs the request for tokens, or reads the replies that are kept of one, and
// saves what comes of it. It returns how often to ask from now on; zero if it has ended.
// A reply whose outcome cannot be saved stays in the journal.
func (f *Flow) askDevice(ctx context.Context, d *authdb.Device, id string, meta operation.DeviceMeta, kept map[int][]byte) time.Duration {
	if !f.devices.begin(id) {
		return 0
	}
	defer f.devices.end(id)
	c, svc, err := f.forDevice(ctx, d.ConnectionID)
	if err != nil {
		return f.notAsked(ctx, d, err)
	}
	if meta.Scopes != nil {
		svc.Scopes = meta.Scopes
	}
	op := &operation.Op{ID: id, Service: svc.At(meta.Asked), Connection: c.ForProvider(), Now: meta.Asked, Journaled: true, Meta: meta.Encode(), Kept: kept}
	token, out, err := f.o.Runner.DeviceToken(ctx, op, provider.DeviceTokenRequest{DeviceCode: d.Started.DeviceCode, Data: meta.Data})
	if err != nil {
		return f.refusedDevice(ctx, d, id, out, causeOf(err))
	}
	a := authorizationOf(d)
	g := got{asked: meta.Asked, token: *token, keyIDs: out.KeyIDs, lang: d.Lang, saved: func(ctx context.Context) error {
		_, err := f.o.Store.Authorizations.EndDevice(ctx, d, authdb.DeviceAuthorized, authdb.DeviceEnd{})
		return err
	}}
	finished, err := f.keep(ctx, svc, a, c.ForProvider(), g, &Failure{Service: &svc, Authorization: a})
	failure, refused := errors.AsType[*Failure](err)
	if err != nil && !refused {
		f.o.Logger.Error("save the grant of a device authorization failed, its reply is kept", "connection", c.Name, "error", err)
		return mostDeviceWait
	}
	if err != nil && !f.endDevice(ctx, d, authdb.DeviceFailed, failure) {
		return mostDeviceWait
	}
	f.o.Runner.Done(id)
	if err == nil {
		f.o.DeviceEnded(ctx, d, finished, nil)
	}
	return 0
}

// notAsked is what follows where the request cannot be made: a connection that is gone or
// gets its tokens otherwise by now ends it.
func (f *Flow) notAsked(ctx context.Context, d *authdb.Device, err error) time.Duration {
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, ErrNoDevice) {
		f.endDevice(ctx, d, authdb.DeviceFailed, f.failDevice(ctx, d, causeOf(err)))
		return 0
	}
	return backedOff(d.PollEvery)
}

// backedOff is RFC 8628 section 3.5 after a failure of the network. It never shortens what
// slow_down has made of the interval.
func backedOff(every time.Duration) time.Duration { return max(every, min(2*every, mostDeviceWait)) }

// refusedDevice is what follows from an answer without tokens.
func (f *Flow) refusedDevice(ctx context.Context, d *authdb.Device, id string, out operation.Outcome, cause *provider.Error) time.Duration {
	if out.PluginFailed && len(out.Replies) > 0 {
		return mostDeviceWait // what was answered is read again from the journal
	}
	wait, ended := waits(cause, d.PollEvery)
	if !ended {
		f.o.Runner.Done(id)
		return wait
	}
	state := authdb.DeviceFailed
	switch cause.Kind {
	case provider.Denied:
		state = authdb.DeviceDenied
	case provider.ReauthorizationRequired:
		state = authdb.DeviceExpired
	}
	if !f.endDevice(ctx, d, state, f.failDevice(ctx, d, cause)) {
		return mostDeviceWait
	}
	f.o.Runner.Done(id)
	return 0
}

// waits reports how often to ask after an error, or that it is the end.
func waits(cause *provider.Error, every time.Duration) (wait time.Duration, ended bool) {
	switch {
	case cause.Code == codePending:
		return every, false
	case cause.Code == codeSlowDown:
		return every + slowDownBy, false
	case cause.Kind == provider.Transient || cause.Kind == provider.Internal:
		return max(backedOff(every), min(cause.RetryAfter, mostDeviceLife)), false
	case cause.Code == operation.CodeHalted || cause.Code == operation.CodeHeld || cause.Code == "plugin_missing":
		return mostDeviceWait, false
	}
	return 0, true
}

// failDevice is the failure of a device authorization.
func (f *Flow) failDevice(ctx context.Context, d *authdb.Device, cause *provider.Error) *Failure {
	failure := &Failure{Reason: reasonOf(cause), Cause: cause, Authorization: authorizationOf(d)}
	if svc, err := f.o.Store.Services.Service(ctx, d.ServiceID); err == nil {
		failure.Service = &svc
	}
	return f.fail(failure)
}

// endDevice records that a device authorization ended without a grant; false if that could
// not be written.
func (f *Flow) endDevice(ctx context.Context, d *authdb.Device, state authdb.DeviceState, failure *Failure) bool {
	end := authdb.DeviceEnd{Reason: string(failure.Reason), Reference: failure.Reference, Wanted: failure.Wanted, Got: failure.Got, Part: failure.Part}
	if failure.Cause != nil {
		end.Kind, end.Code, end.Message = failure.Cause.Kind, failure.Cause.Code, failure.Cause.Message
	}
	ended, err := f.o.Store.Authorizations.EndDevice(ctx, d, state, end)
	if err != nil {
		f.o.Logger.Warn("record the end of a device authorization failed, next attempt soon", "connection_id", d.ConnectionID, "error", err)
		return false
	}
	if ended {
		f.o.DeviceEnded(ctx, d, nil, failure)
	}
	return true
}

// authorizationOf is a device authorization as one that awaited its callback.
func authorizationOf(d *authdb.Device) *authdb.Authorization {
	a := &authdb.Authorization{
		ID: d.ID, ServiceID: d.ServiceID, ConnectionID: d.ConnectionID, BrowserHash: d.BrowserHash, UserID: d.UserID, Scopes: d.Scopes, Lang: d.Lang,
		CreatedAt: d.CreatedAt, ExpiresAt: d.ExpiresAt,
	}
	if d.LinkedBy != "" {
		a.ReturnTo = LinkReturn
	}
	return a
}
