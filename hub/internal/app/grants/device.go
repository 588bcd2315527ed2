package grants

import (
	"context"
	"errors"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/authflow"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/authdb"
	"github.com/evergrant/evergrant/sdk/provider"
)

// OnDevice is the latest device authorization of a connection.
type OnDevice struct {
	Device     *authdb.Device
	Connection connection.Connection
	Service    service.Service
	// Rivals are the titles of other connections that the authorization may end.
	Rivals []string
}

// StartDevice begins an authorization of a connection by a code that a person enters on
// another device. Errors: *provider.Error, authflow.ErrNoDevice, store.ErrNotFound,
// *store.DetachedError.
func (g *Grants) StartDevice(ctx context.Context, connectionName string, way Way) (d OnDevice, err error) {
	a := act.Act{Name: "connection.authorize", Needs: access.ActOperate, On: on(connectionName), Detail: []string{"grant", string(provider.GrantDevice)}}
	err = g.o.Recorder.Ask(ctx, a, func(ctx context.Context, e *act.Entry) (err error) {
		if d.Connection, d.Service, err = g.found(ctx, e, connectionName); err != nil {
			return err
		}
		d.Device, err = g.o.Flow.StartDevice(ctx, authflow.DeviceRequest{ConnectionID: d.Connection.ID, UserID: userID(ctx), Lang: way.Lang})
		return err
	})
	return d, err
}

// FollowToDevice begins the device authorization of a link. A link that is spent, or that
// never was one, is refused before it is an act. Errors: authflow.ErrLinkSpent,
// authflow.ErrLinkTaken, and those of StartDevice; linked is nil if the link is of no use.
func (g *Grants) FollowToDevice(ctx context.Context, token string, way Way) (linked *authflow.Linked, err error) {
	if linked, err = g.o.Flow.Link(ctx, token); err != nil {
		return nil, err
	}
	if who := act.From(ctx); who.UserID == "" {
		ctx = act.With(ctx, act.Link(audit.KindLink, linked.Link.CreatedBy, who.Address, who.Browser))
	}
	a := act.Act{Name: "connection.follow_link", On: on(linked.Connection.Name), Detail: []string{"grant", string(provider.GrantDevice)}}
	err = g.o.Recorder.Ask(ctx, a, func(ctx context.Context, e *act.Entry) error {
		e.Add(browser(ctx)...)
		_, _, err := g.o.Flow.FollowLinkToDevice(ctx, token, way.Browser, way.Lang)
		return err
	})
	return linked, err
}

// Device is the latest device authorization of a connection. Errors: store.ErrNotFound.
func (g *Grants) Device(ctx context.Context, connectionName string) (d OnDevice, err error) {
	if d.Connection, d.Service, err = g.find(ctx, connectionName); err != nil {
		return d, err
	}
	if d.Device, err = g.o.Flow.Device(ctx, d.Connection.ID); err == nil {
		d.Rivals = g.rivals(ctx, d.Service, d.Connection.ID)
	}
	return d, err
}

// DeviceOfLink is Device for the browser that followed a link. Errors: store.ErrNotFound.
func (g *Grants) DeviceOfLink(ctx context.Context, token string, browsers ...string) (d OnDevice, err error) {
	device, linked, err := g.o.Flow.DeviceOfBrowser(ctx, token, browsers...)
	if err != nil {
		return d, err
	}
	return OnDevice{Device: device, Connection: linked.Connection, Service: linked.Service, Rivals: g.rivals(ctx, linked.Service, linked.Connection.ID)}, nil
}

// DeviceEnded records how a device authorization ended, which the hub learns by asking the
// service. Who followed a link is recorded by who made it.
func (g *Grants) DeviceEnded(ctx context.Context, d *authdb.Device, finished *authflow.Finished, err error) {
	caller := act.Hub()
	if d.LinkedBy != "" {
		caller = act.Link(audit.KindLink, d.LinkedBy, "", "")
	}
	c, readErr := g.o.Store.Grants.ConnectionOrTrashed(ctx, d.ConnectionID)
	if readErr != nil {
		if !errors.Is(readErr, store.ErrNotFound) {
			g.o.Logger.Error("record the end of a device authorization failed", "connection_id", d.ConnectionID, "error", readErr)
		}
		return
	}
	ending := act.Act{Name: "connection.authorized", On: on(c.Name), Detail: []string{"grant", string(provider.GrantDevice)}}
	if finished != nil {
		ending.Detail = append(append(ending.Detail, "account", account(finished.Connection.Account)), partsOf(finished)...)
	}
	if failure, is := errors.AsType[*authflow.Failure](err); is {
		ending.Detail = append(ending.Detail, "account", account(failure.Got), "reference", failure.Reference)
	}
	g.o.Recorder.Ended(act.With(ctx, caller), ending, err)
}
