package connections

import (
	"context"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/service"
)

// Added is a connection that was added, with its service.
type Added struct {
	Connection connection.Connection
	Service    service.Service
}

// Add adds a connection of a service; it has no grant yet. It belongs to the contact of the person who adds it. Errors:
// *catalogue.InvalidError; store.ErrNotFound for the service.
func (x *Connections) Add(ctx context.Context, serviceName string, n catalogue.NewConnection) (added Added, err error) {
	a := act.Act{Name: "connection.add", Needs: access.ActManage, On: on(n.Name)}
	err = x.o.Recorder.Change(ctx, a, func(ctx context.Context, e *act.Entry) (err error) {
		if added.Service, err = x.o.Store.Services.ServiceByName(ctx, serviceName); err != nil {
			return err
		}
		if added.Connection, err = x.o.Catalogue.AddConnection(ctx, added.Service.ID, n); err != nil {
			return err
		}
		e.Named(added.Connection.Name)
		e.Add("grant", string(added.Connection.Grant))
		return x.owned(ctx, added.Connection.ID)
	})
	return added, err
}

// SetOptions replaces the connection's own options; secret ones that are left empty are
// kept. Errors: *catalogue.InvalidError, store.ErrNotFound, store.ErrStale.
func (x *Connections) SetOptions(ctx context.Context, w Which, options map[string]any) (connection.Connection, error) {
	_, after, err := x.changed(ctx, about("connection.options", access.ActManage, w), w, func(ctx context.Context, c connection.Connection) (connection.Connection, error) {
		return x.o.Catalogue.SetConnectionOptions(ctx, c.ID, options)
	})
	return after, err
}

// Pause stops renewal and pulls. Errors: store.ErrNotFound, store.ErrStale.
func (x *Connections) Pause(ctx context.Context, w Which) (before, after connection.Connection, err error) {
	return x.changed(ctx, about("connection.pause", access.ActOperate, w), w, func(ctx context.Context, c connection.Connection) (connection.Connection, error) {
		return x.o.Catalogue.Pause(ctx, c.ID)
	})
}

// Resume takes a paused connection up again. Errors: store.ErrNotFound, store.ErrStale.
func (x *Connections) Resume(ctx context.Context, w Which) (before, after connection.Connection, err error) {
	return x.changed(ctx, about("connection.resume", access.ActOperate, w), w, func(ctx context.Context, c connection.Connection) (connection.Connection, error) {
		return x.o.Catalogue.Resume(ctx, c.ID)
	})
}

// SetTags gives a connection these tags and no others. Errors: store.ErrNotFound.
func (x *Connections) SetTags(ctx context.Context, w Which, tags []string) (connection.Connection, error) {
	c, _, err := x.changed(ctx, about("connection.tag", access.ActOperate, w), w, func(ctx context.Context, c connection.Connection) (connection.Connection, error) {
		return c, x.o.Store.Grants.SetTags(ctx, c.ID, tags)
	})
	return c, err
}

// AddTag adds a tag. Errors: store.ErrNotFound.
func (x *Connections) AddTag(ctx context.Context, w Which, tag string) error {
	_, _, err := x.changed(ctx, about("connection.tag", access.ActOperate, w, "argument", tag), w, func(ctx context.Context, c connection.Connection) (connection.Connection, error) {
		return c, x.o.Store.Grants.AddTag(ctx, c.ID, tag)
	})
	return err
}

// RemoveTag takes a tag away. Errors: store.ErrNotFound.
func (x *Connections) RemoveTag(ctx context.Context, w Which, tag string) error {
	_, _, err := x.changed(ctx, about("connection.untag", access.ActOperate, w, "argument", tag), w, func(ctx context.Context, c connection.Connection) (connection.Connection, error) {
		return c, x.o.Store.Grants.RemoveTag(ctx, c.ID, tag)
	})
	return err
}

// SetOwner says whose a connection is, who gets its messages: a contact by its id, "" for
// nobody. Errors: store.ErrNotFound.
func (x *Connections) SetOwner(ctx context.Context, w Which, contactID string) (connection.Connection, error) {
	c, _, err := x.changed(ctx, about("connection.owner", access.ActManage, w), w, func(ctx context.Context, c connection.Connection) (connection.Connection, error) {
		return c, x.o.Store.People.SetOwner(ctx, c.ID, contactID)
	})
	return c, err
}

// Restore makes the token set of a past generation the next one; 0 is the last one that may
// still be good. Errors: *catalogue.RestoreRefusedError, store.ErrNotFound, store.ErrStale.
func (x *Connections) Restore(ctx context.Context, w Which, generation int64) (before, after connection.Connection, err error) {
	return x.changed(ctx, about("connection.restore", access.ActManage, w), w, func(ctx context.Context, c connection.Connection) (connection.Connection, error) {
		return x.o.Catalogue.Restore(ctx, c.ID, generation, requestedBy(ctx))
	})
}

// TakeOffer replaces a connection's grant by the authorization that is kept aside. Errors:
// authflow.ErrNoOffer, store.ErrNotFound, store.ErrStale.
func (x *Connections) TakeOffer(ctx context.Context, w Which) (connection.Connection, error) {
	_, after, err := x.changed(ctx, about("connection.take_offer", access.ActManage, w), w, func(ctx context.Context, c connection.Connection) (connection.Connection, error) {
		return x.o.Flow.TakeOffer(ctx, c.ID)
	})
	return after, err
}

// DropOffer forgets the authorization that is kept aside. Errors: authflow.ErrNoOffer,
// store.ErrNotFound.
func (x *Connections) DropOffer(ctx context.Context, w Which) (connection.Connection, error) {
	c, _, err := x.changed(ctx, about("connection.drop_offer", access.ActManage, w), w, func(ctx context.Context, c connection.Connection) (connection.Connection, error) {
		return c, x.o.Flow.DropOffer(ctx, c.ID)
	})
	return c, err
}
