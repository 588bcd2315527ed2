package grants

import (
	"context"
	"time"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/authflow"
	"github.com/evergrant/evergrant/hub/internal/store/servicedb"
)

// Start begins an authorization of a connection; that of a part is that of its main one, as
// in all that leads to a grant. Errors: *provider.Error of the service's
// plugin, store.ErrNotFound, *store.DetachedError.
func (g *Grants) Start(ctx context.Context, connectionName string, way Way) (d Departure, err error) {
	a := act.Act{Name: "connection.authorize", Needs: access.ActOperate, On: on(connectionName)}
	err = g.o.Recorder.Ask(ctx, a, func(ctx context.Context, e *act.Entry) (err error) {
		if d.Connection, d.Service, err = g.found(ctx, e, connectionName); err != nil {
			return err
		}
		return g.start(ctx, &d, way)
	})
	return d, err
}

// StartOnce begins an authorization whose grant is handed over and not kept. Errors: as
// Start.
func (g *Grants) StartOnce(ctx context.Context, serviceName string, way Way) (Departure, error) {
	return g.startOnce(ctx, act.Act{Name: "service.once_begin", Needs: access.ActCodes, On: onService(serviceName)}, way)
}

func (g *Grants) startOnce(ctx context.Context, a act.Act, way Way) (d Departure, err error) {
	err = g.o.Recorder.Ask(ctx, a, func(ctx context.Context, e *act.Entry) (err error) {
		e.Add(browser(ctx)...)
		if d.Service, err = g.o.Store.Services.ServiceByName(ctx, a.On.Name); err != nil {
			return err
		}
		return g.start(ctx, &d, way)
	})
	return d, err
}

func (g *Grants) start(ctx context.Context, d *Departure, way Way) error {
	req := authflow.StartRequest{ConnectionID: d.Connection.ID, UserID: userID(ctx), Browser: way.Browser, ReturnTo: way.ReturnTo, Lang: way.Lang}
	if req.ConnectionID == "" {
		req.ServiceID = d.Service.ID
	}
	started, err := g.o.Flow.Start(ctx, req)
	if err != nil {
		return err
	}
	d.Started, d.Rivals = *started, g.rivals(ctx, d.Service, req.ConnectionID)
	return nil
}

// StartAtFront is StartOnce for a visitor without an account, at a service that is
// published. counted is the address by which uses are counted. What is not published, and
// what is begun too often, is refused before it is an act. Errors: store.ErrNotFound,
// store.ErrTooOften, and those of Start.
func (g *Grants) StartAtFront(ctx context.Context, serviceName, counted string, limit servicedb.FrontLimit, way Way) (Departure, error) {
	s, err := g.o.Store.Services.ServiceByName(ctx, serviceName)
	if err == nil {
		_, err = g.o.Store.Services.Published(ctx, s.ID)
	}
	if err == nil {
		err = g.o.Store.Services.UseFront(ctx, servicedb.FrontCodes, counted, limit, time.Now())
	}
	if err != nil {
		return Departure{Service: s}, err
	}
	way.ReturnTo = FrontPage
	return g.startOnce(ctx, act.Act{Name: "service.once_begin", On: onService(s.Name)}, way)
}

// MakeLink makes a link by which a person without an account authorizes a connection,
// once. by is who asks for it, as the page of the link says. Errors: store.ErrNotFound.
func (g *Grants) MakeLink(ctx context.Context, connectionName, by string) (token string, expires time.Time, err error) {
	a := act.Act{Name: "connection.link", Needs: access.ActOperate, On: on(connectionName)}
	err = g.o.Recorder.Change(ctx, a, func(ctx context.Context, e *act.Entry) error {
		c, _, err := g.found(ctx, e, connectionName)
		if err == nil {
			token, expires, err = g.o.Flow.MakeLink(ctx, c.ID, userID(ctx), by)
		}
		return err
	})
	return token, expires, err
}

// MessageLink makes the link of a message, by which the contact that the message goes to
// authorizes a connection, once. userID is the contact's account here, or empty. It is a
// part of sending the message: the record has who has it sent, which is the hub itself
// where nobody has. Errors: store.ErrNotFound.
func (g *Grants) MessageLink(ctx context.Context, connectionID, userID string, life time.Duration) (token string, err error) {
	if act.From(ctx).Kind == "" {
		ctx = act.With(ctx, act.Hub())
	}
	a := act.Act{Name: "connection.link", On: on(connectionID), Detail: []string{"for", "message"}}
	err = g.o.Recorder.Change(ctx, a, func(ctx context.Context, e *act.Entry) error {
		c, err := g.o.Store.Grants.Connection(ctx, connectionID)
		if err != nil {
			return err
		}
		e.Named(c.Name)
		if c, _, err = g.found(ctx, e, c.Name); err != nil {
			return err
		}
		token, _, err = g.o.Flow.MakeLinkFor(ctx, c.ID, userID, "Evergrant", life)
		return err
	})
	return token, err
}

// Link is what a link is for. It changes nothing. Errors: authflow.ErrLinkSpent.
func (g *Grants) Link(ctx context.Context, token string) (*authflow.Linked, error) {
	return g.o.Flow.Link(ctx, token)
}

// Follow begins the authorization of a link. A link that is spent, or that never was one,
// is refused before it is an act. Errors: authflow.ErrLinkSpent, authflow.ErrLinkTaken,
// and those of Start; linked is nil if the link is of no use.
func (g *Grants) Follow(ctx context.Context, token string, way Way) (linked *authflow.Linked, d Departure, err error) {
	if linked, err = g.o.Flow.Link(ctx, token); err != nil {
		return nil, d, err
	}
	if who := act.From(ctx); who.UserID == "" {
		ctx = act.With(ctx, act.Link(audit.KindLink, linked.Link.CreatedBy, who.Address, who.Browser))
	}
	a := act.Act{Name: "connection.follow_link", On: on(linked.Connection.Name)}
	err = g.o.Recorder.Ask(ctx, a, func(ctx context.Context, e *act.Entry) error {
		e.Add(browser(ctx)...)
		followed, started, err := g.o.Flow.FollowLink(ctx, token, way.Browser, way.Lang)
		if err == nil {
			d = Departure{Started: *started, Service: followed.Service, Connection: followed.Connection, Rivals: g.rivals(ctx, followed.Service, followed.Connection.ID)}
		}
		return err
	})
	return linked, d, err
}
