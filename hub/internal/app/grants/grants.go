package grants

import (
	"context"
	"errors"
	"strings"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/authflow"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/sdk/provider"
)

// FrontPage is where people without an account take access codes of published services. It
// is also where their authorizations return to, which is how they are told from those of
// people who are signed in.
const FrontPage = "/codes"

// Options of Grants.
type Options struct {
	Store    *store.Store
	Flow     *authflow.Flow
	Recorder *act.Recorder
	Logger   hclog.Logger
}

// Grants carries out the acts that lead to a grant. It is safe for concurrent use.
type Grants struct{ o Options }

// New returns Grants.
func New(o Options) *Grants { return &Grants{o: o} }

// Way is how an authorization goes.
type Way struct {
	// Browser is the secret of the browser that is to finish it.
	Browser string
	// ReturnTo is the hub's page to go to afterwards.
	ReturnTo string
	Lang     string
}

// Departure is an authorization that has begun: the browser is to be sent to its URL.
type Departure struct {
	authflow.Started

	Service service.Service
	// Connection is the one that gets the grant; its ID is empty if nothing is kept.
	Connection connection.Connection
	// Rivals are the titles of other connections that the authorization may end.
	Rivals []string
}

// mostRivals bounds how many connections a departure names.
const mostRivals = 10

// rivals are the titles of the other connections of a service that keeps one grant of an
// account: the authorization of one may end another. Its own parts are none.
func (g *Grants) rivals(ctx context.Context, s service.Service, connectionID string) []string {
	if s.Description == nil || !s.Description.OneGrantPerAccount {
		return nil
	}
	all, err := g.o.Store.Grants.Connections(ctx, grantdb.Filter{ServiceID: s.ID, Limit: mostRivals + 1})
	if err != nil {
		g.o.Logger.Warn("list other connections of the service failed", "service", s.Name, "error", err)
		return nil
	}
	var titles []string
	for _, c := range all {
		if c.ID != connectionID && c.MainID != connectionID && c.Granting() && len(titles) < mostRivals {
			titles = append(titles, c.Title)
		}
	}
	return titles
}

func on(connectionName string) audit.Object {
	return audit.Object{Kind: "connection", Name: connectionName}
}

func onService(name string) audit.Object { return audit.Object{Kind: "service", Name: name} }

// userID is who starts an authorization, as only they may finish it by hand: a person, or an
// API key.
func userID(ctx context.Context) string {
	who := act.From(ctx)
	if who.Key.ID != "" {
		return access.MadeByKey(who.Key.ID)
	}
	return who.UserID
}

// find reads the connection to authorize, with its service: for the name of a part the main
// one. Errors: authflow.ErrMainGone, store.ErrNotFound.
func (g *Grants) find(ctx context.Context, name string) (c connection.Connection, s service.Service, err error) {
	if c, err = g.o.Store.Grants.ConnectionByName(ctx, name); err == nil {
		c, err = g.o.Flow.Authorizes(ctx, c)
	}
	if err == nil {
		s, err = g.o.Store.Services.Service(ctx, c.ServiceID)
	}
	return c, s, err
}

// found is find for an act, whose record is then about the main connection.
func (g *Grants) found(ctx context.Context, e *act.Entry, name string) (c connection.Connection, s service.Service, err error) {
	if c, s, err = g.find(ctx, name); err == nil && c.Name != name {
		e.Named(c.Name)
		e.Add("part", name)
	}
	return c, s, err
}

// partsOf is the detail of a record that names the parts of a grant: those that came with
// it, and those that did not.
func partsOf(finished *authflow.Finished) (detail []string) {
	if len(finished.Parts) > 0 {
		detail = append(detail, "parts", names(finished.Parts))
	}
	if len(finished.Missing) > 0 {
		detail = append(detail, "parts_missing", names(finished.Missing))
	}
	return detail
}

func names(all []connection.Connection) string {
	list := make([]string, 0, len(all))
	for _, c := range all {
		list = append(list, c.Name)
	}
	return strings.Join(list, " ")
}

// account is whose a grant is at the service, for a record.
func account(a provider.Account) string {
	if a.Name == "" || a.Name == a.ID {
		return a.ID
	}
	return a.Name + " (" + a.ID + ")"
}

// browser is the detail of a record that names the caller's browser.
func browser(ctx context.Context) []string {
	if agent := act.From(ctx).Browser; agent != "" {
		return []string{"browser", agent}
	}
	return nil
}

// as puts who finishes an authorization into the context, unless they are signed in: the
// holder of a link by who made it, anybody else as a visitor.
func (g *Grants) as(ctx context.Context, connectionID, browserHash string) context.Context {
	who := act.From(ctx)
	if who.UserID != "" || connectionID == "" {
		return ctx
	}
	l, err := g.o.Store.Authorizations.GrantLinkIn(ctx, connectionID, browserHash)
	if err != nil {
		if !errors.Is(err, store.ErrNotFound) {
			g.o.Logger.Warn("find the link of an authorization failed", "error", err)
		}
		return ctx
	}
	return act.With(ctx, act.Link(audit.KindLink, l.CreatedBy, who.Address, who.Browser))
}
