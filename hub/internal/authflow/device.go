package authflow

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/operation"
	"github.com/evergrant/evergrant/hub/internal/randtoken"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/authdb"
	"github.com/evergrant/evergrant/sdk/provider"
)

// The times of RFC 8628 for a service that names none, and the longest that one may name.
const (
	deviceInterval    = 5 * time.Second
	mostDeviceWait    = time.Minute
	mostDeviceLife    = 24 * time.Hour
	slowDownBy        = 5 * time.Second // section 3.5
	deviceReplyGiveUp = 7 * 24 * time.Hour
)

// ErrNoDevice is a device authorization of what gets its tokens otherwise.
var ErrNoDevice error = provider.Errorf(provider.Blocked, "no_device", "this connection is not authorized by a code on another device")

// DeviceRequest describes a device authorization of a connection.
type DeviceRequest struct {
	ConnectionID string
	// UserID is who starts it.
	UserID string
	Lang   string

	browserHash, linkedBy string
}

// StartDevice begins a device authorization (RFC 8628) in place of an earlier one of its
// connection. The hub then asks the service whether the person has answered: see
// PollDevices. Errors: *provider.Error, ErrNoDevice, *store.DetachedError, of the store.
func (f *Flow) StartDevice(ctx context.Context, req DeviceRequest) (*authdb.Device, error) {
	if err := f.o.Store.Detached(ctx); err != nil {
		return nil, err
	}
	c, svc, err := f.forDevice(ctx, req.ConnectionID)
	if err != nil {
		return nil, err
	}
	svc.Scopes = c.ScopesToAsk(svc.Scopes)
	now := f.o.Clock.Now()
	started, err := f.o.Runner.DeviceAuthorization(ctx, &operation.Op{Service: svc.At(now), Connection: c.ForProvider(), Now: now})
	if err != nil {
		return nil, err
	}
	if err := checkVerification(started); err != nil {
		return nil, err
	}
	d := authdb.Device{
		ID: store.NewID(), ConnectionID: c.ID, ServiceID: svc.ID, BrowserHash: req.browserHash, LinkedBy: req.linkedBy, UserID: req.UserID, Started: *started,
		Scopes: svc.Scopes, Lang: req.Lang, PollEvery: within(started.Interval, deviceInterval, mostDeviceWait), State: authdb.DevicePending, CreatedAt: now,
		ExpiresAt: now.Add(within(started.ExpiresIn, f.o.TTL, mostDeviceLife)),
	}
	d.NextPollAt = now.Add(d.PollEvery)
	if err := f.o.Store.Authorizations.PutDevice(ctx, d); err != nil {
		return nil, err
	}
	f.devices.wake()
	return &d, nil
}

// forDevice reads a connection that is authorized by a device code, and its service.
func (f *Flow) forDevice(ctx context.Context, connectionID string) (c connection.Connection, svc service.Service, err error) {
	if c, err = f.o.Store.Grants.Connection(ctx, connectionID); err != nil {
		return c, svc, err
	}
	if svc, err = f.o.Store.Services.Service(ctx, c.ServiceID); err != nil {
		return c, svc, err
	}
	if c.Grant != provider.GrantDevice || !slices.Contains(svc.Description.Grants, provider.GrantDevice) {
		return c, svc, ErrNoDevice
	}
	return c, svc, nil
}

// within is a time that a service named, bounded; or the usual one.
func within(named, usual, most time.Duration) time.Duration {
	if named <= 0 {
		return usual
	}
	return min(max(named, time.Second), most)
}

// checkVerification refuses addresses that are none of web pages: they become links.
func checkVerification(d *provider.DeviceAuthorization) error {
	addresses := []string{d.VerificationURI}
	if d.VerificationURIComplete != "" {
		addresses = append(addresses, d.VerificationURIComplete)
	}
	for _, address := range addresses {
		u, err := url.Parse(address)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
			return provider.Errorf(provider.Internal, "plugin_failed", "the service named no usable address for entering the code")
		}
	}
	return nil
}

// FollowLinkToDevice begins the device authorization of a link, in the browser of the
// secret; one that this browser has begun and that is still pending goes on. Errors:
// ErrLinkSpent, ErrLinkTaken, those of StartDevice.
func (f *Flow) FollowLinkToDevice(ctx context.Context, token, browser, lang string) (*Linked, *authdb.Device, error) {
	linked, err := f.Link(ctx, token)
	if err != nil {
		return nil, nil, err
	}
	if err := f.o.Store.Authorizations.BindGrantLink(ctx, linked.Link.ID, randtoken.Hash(browser)); err != nil {
		if errors.Is(err, store.ErrInUse) {
			return linked, nil, ErrLinkTaken
		}
		return linked, nil, err
	}
	d, err := f.StartDevice(ctx, DeviceRequest{
		ConnectionID: linked.Connection.ID, UserID: linked.Link.UserID, Lang: lang, browserHash: randtoken.Hash(browser), linkedBy: linked.Link.CreatedBy,
	})
	return linked, d, err
}

// Device is the latest device authorization of a connection. Errors: store.ErrNotFound.
func (f *Flow) Device(ctx context.Context, connectionID string) (*authdb.Device, error) {
	return f.o.Store.Authorizations.Device(ctx, connectionID)
}

// DeviceOfBrowser is Device for the browser that began it by a link. Errors:
// store.ErrNotFound, also for other browsers.
func (f *Flow) DeviceOfBrowser(ctx context.Context, token string, browsers ...string) (*authdb.Device, *Linked, error) {
	l, err := f.o.Store.Authorizations.GrantLinkByHash(ctx, randtoken.Hash(token))
	if err != nil {
		return nil, nil, err
	}
	d, err := f.o.Store.Authorizations.Device(ctx, l.ConnectionID)
	if err != nil {
		return nil, nil, err
	}
	if d.BrowserHash == "" || d.BrowserHash != l.BrowserHash || !slices.Contains(hashes(browsers), d.BrowserHash) {
		return nil, nil, store.ErrNotFound
	}
	c, err := f.o.Store.Grants.Connection(ctx, l.ConnectionID)
	if err != nil {
		return nil, nil, err
	}
	svc, err := f.o.Store.Services.Service(ctx, c.ServiceID)
	return d, &Linked{Link: l, Connection: c, Service: svc}, err
}
