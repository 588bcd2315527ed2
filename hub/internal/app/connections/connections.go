package connections

import (
	"context"
	"errors"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/authflow"
	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/testcall"
	"github.com/evergrant/evergrant/hub/internal/tokensource"
)

// Options of Connections.
type Options struct {
	Store     *store.Store
	Catalogue *catalogue.Catalogue
	Source    *tokensource.Source
	Flow      *authflow.Flow
	TestCalls *testcall.Caller
	Recorder  *act.Recorder
	Logger    hclog.Logger
	// Told is called after an escalation was opened, to have it sent. Optional.
	Told func()
}

// Connections carries out the acts on connections. It is safe for concurrent use.
type Connections struct{ o Options }

// New returns Connections.
func New(o Options) *Connections {
	if o.Told == nil {
		o.Told = func() {}
	}
	return &Connections{o: o}
}

// Which names the connection that an act is about: by its name, or by its id with the name
// that it had when it was chosen.
type Which struct{ ID, Name string }

// Named is the connection of a name.
func Named(name string) Which { return Which{Name: name} }

// Find reads a connection with its service. Errors: store.ErrNotFound.
func (x *Connections) Find(ctx context.Context, w Which) (connection.Connection, service.Service, error) {
	c, err := x.find(ctx, w)
	if err != nil {
		return c, service.Service{}, err
	}
	s, err := x.o.Store.Services.Service(ctx, c.ServiceID)
	return c, s, err
}

func (x *Connections) find(ctx context.Context, w Which) (connection.Connection, error) {
	if w.ID != "" {
		return x.o.Store.Grants.Connection(ctx, w.ID)
	}
	return x.o.Store.Grants.ConnectionByName(ctx, w.Name)
}

// on is the object of a record.
func on(name string) audit.Object { return audit.Object{Kind: "connection", Name: name} }

// about is an act on a connection.
func about(name string, needs access.Act, w Which, detail ...string) act.Act {
	if w.ID != "" {
		detail = append(detail, "id", w.ID)
	}
	return act.Act{Name: name, Needs: needs, On: on(w.Name), Detail: detail}
}

// changed does an act on the row of a connection and returns it as it was and as it is.
func (x *Connections) changed(ctx context.Context, a act.Act, w Which, do func(ctx context.Context, c connection.Connection) (connection.Connection, error)) (before, after connection.Connection, err error) {
	err = x.o.Recorder.Change(ctx, a, func(ctx context.Context, _ *act.Entry) (err error) {
		if before, err = x.find(ctx, w); err == nil {
			after, err = do(ctx, before)
		}
		return err
	})
	return before, after, err
}

// requestedBy is who acts, as the past of a connection keeps it: the login, or the id of
// the API key.
func requestedBy(ctx context.Context) string {
	who := act.From(ctx)
	if who.Key.ID != "" {
		return access.MadeByKey(who.Key.ID)
	}
	return who.Name
}

// owned makes the contact of the person who acts the owner of a new connection, if there
// is one.
func (x *Connections) owned(ctx context.Context, id string) error {
	who := act.From(ctx)
	if who.UserID == "" {
		return nil
	}
	contact, err := x.o.Store.People.ContactOfUser(ctx, who.UserID)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return x.o.Store.People.SetOwner(ctx, id, contact.ID)
}
