package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/connections"
	"github.com/evergrant/evergrant/hub/internal/app/grants"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
)

// Account is whose a grant is at the service.
type Account struct {
	ID   string `json:"id" doc:"Stable and unique within the service"`
	Name string `json:"name" doc:"What a person recognises, for example an e-mail address"`
}

// Connection is a connection as administrators see it, without its tokens.
type Connection struct {
	Name    string `json:"name"`
	Title   string `json:"title"`
	Service string `json:"service" doc:"Name of the service"`
	Grant   string `json:"grant" enum:"authorization_code,client_credentials,assertion,login,static,device_code" doc:"How it gets its tokens"`
	// Part is the part of an authorization that it holds, Main the connection that is
	// authorized for it.
	Part string `json:"part,omitempty" doc:"Which part of another connection's authorization it holds; absent for a connection that is authorized itself"`
	Main string `json:"main,omitempty" doc:"Of a part: the name of the connection whose authorization gives it its grant; absent if that one was deleted, or is not for this key"`
	// Options are its own, without secret ones.
	Options map[string]any `json:"options,omitempty" doc:"The connection's own options; secret ones are left out"`
	Status  string         `json:"status" enum:"fresh,expires,retrying,uncertain,needs_operator,needs_authorization,paused,revoked"`
	// Generation numbers the token sets.
	Generation    int64      `json:"generation"`
	ValidUntil    *time.Time `json:"valid_until,omitempty" doc:"When the access token ends; absent if unknown"`
	Renewable     bool       `json:"renewable" doc:"Whether the hub can get the next token without a person"`
	NextRenewal   *time.Time `json:"next_renewal,omitempty"`
	PersonBy      *time.Time `json:"person_by,omitempty" doc:"When a person must authorize again at the latest, if that is known"`
	PersonReason  string     `json:"person_reason,omitempty"`
	BornDead      bool       `json:"born_dead,omitempty" doc:"The grant came without the refresh token that renewal needs"`
	Account       *Account   `json:"account,omitempty"`
	Scopes        []string   `json:"scopes,omitempty" doc:"Granted scopes, if the service says them"`
	MissingScopes []string   `json:"missing_scopes,omitempty" doc:"Requested, or reported as missing by a process, but not granted"`
	LastError     *LastError `json:"last_error,omitempty"`
	RenewedAt     *time.Time `json:"renewed_at,omitempty"`
	AuthorizedAt  *time.Time `json:"authorized_at,omitempty"`
	LastPulledAt  *time.Time `json:"last_pulled_at,omitempty"`
	CreatedAt     time.Time  `json:"created_at"`
	// Changed is present in the answer to an act.
	Changed *bool `json:"changed,omitempty" doc:"In the answer to an act: whether it changed anything"`
	// Obtaining is present in the answer to adding one that got no token set.
	Obtaining *LastError `json:"obtaining,omitempty" doc:"In the answer to adding a connection: why the service gave no token"`
	// Revocation is present in the answer to a revocation.
	Revocation *Revocation `json:"revocation,omitempty" doc:"In the answer to a revocation: what became of the grant at the service"`
}

// LastError is the trouble of the last renewal.
type LastError struct {
	Kind    string    `json:"kind"`
	Code    string    `json:"code,omitempty"`
	Message string    `json:"message"`
	At      time.Time `json:"at"`
	Since   time.Time `json:"since"`
	Count   int       `json:"count"`
}

func orAbsent(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	utc := t.UTC()
	return &utc
}

func connectionView(c connection.Connection, serviceName string, now time.Time) Connection {
	by, reason := c.PersonBy()
	v := Connection{
		Name: c.Name, Title: c.Title, Service: serviceName, Grant: string(c.Grant), Part: c.Part, Status: string(c.StatusAt(now)), Generation: c.Generation,
		ValidUntil: orAbsent(c.Tokens.ExpiresAt), Renewable: c.Renewable(now), NextRenewal: orAbsent(c.Due),
		PersonBy: orAbsent(by), PersonReason: string(reason), BornDead: c.BornDead(), Scopes: c.Tokens.Scopes,
		MissingScopes: c.MissingScopes(), RenewedAt: orAbsent(c.RenewedAt), AuthorizedAt: orAbsent(c.AuthorizedAt),
		LastPulledAt: orAbsent(c.LastPulledAt), CreatedAt: c.CreatedAt.UTC(),
	}
	if c.Account.ID != "" {
		v.Account = &Account{ID: c.Account.ID, Name: c.Account.Name}
	}
	if f := c.Trouble(); f != nil {
		v.LastError = &LastError{Kind: f.Kind.String(), Code: f.Code, Message: f.Message, At: f.At.UTC(), Since: f.Since.UTC(), Count: f.Count}
	}
	return v
}

// ConnectionBody is a new connection.
type ConnectionBody struct {
	Service string         `json:"service" doc:"Name of the service"`
	Name    string         `json:"name,omitempty" doc:"Part of the API's address; made of the title if empty" example:"sales-bitrix24"`
	Title   string         `json:"title,omitempty" example:"Битрикс24 — отдел продаж"`
	Grant   string         `json:"grant,omitempty" enum:"authorization_code,client_credentials,assertion,login,static,device_code" doc:"How it gets its tokens; needed where the service offers several ways"`
	Options map[string]any `json:"options,omitempty" doc:"The connection's own options, by the provider's connection_options"`
	Entry
}

// Entry is what a person enters for a login or a static key.
type Entry struct {
	Fields map[string]any `json:"fields,omitempty" doc:"What a login or a static key is made of, by the provider's login or static_key.fields. Kept sealed, never returned"`
	EndsAt *time.Time     `json:"ends_at,omitempty" doc:"When a static key ends, as far as you know"`
}

// entered is an entry as the act takes it.
func (e Entry) entered() grants.Entered {
	entered := grants.Entered{Fields: e.Fields}
	if e.EndsAt != nil {
		entered.Ends = *e.EndsAt
	}
	return entered
}

// ListInput filters a list of connections.
type ListInput struct {
	Service string `query:"service"`
	Query   string `query:"q" doc:"Part of the name or title"`
	Tag     string `query:"tag" doc:"Only those that have it"`
	Limit   int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
	After   string `query:"after" doc:"Name of the last connection of the previous page"`
}

func (a *API) connection(ctx context.Context, name string) (connection.Connection, error) {
	return a.store.Grants.ConnectionByName(ctx, name)
}

// readable finds a connection that the key may see. One that may not learns nothing
// of it, not even whether it is there.
func (a *API) readable(ctx context.Context, name string) (connection.Connection, error) {
	key := keyOf(ctx)
	sees := access.MayAdminister(key) || key.AllConnections
	c, err := a.connection(ctx, name)
	if err == nil {
		sees, err = a.sees(ctx, c.ID)
	}
	if !sees && (err == nil || errors.Is(err, store.ErrNotFound)) {
		return connection.Connection{}, access.ErrNotForKey
	}
	return c, err
}

func (a *API) view(ctx context.Context, c connection.Connection) (*one[Connection], error) {
	svc, err := a.store.Services.Service(ctx, c.ServiceID)
	if err != nil {
		return nil, a.fail(err)
	}
	mains, err := a.mains(ctx, c)
	if err != nil {
		return nil, a.fail(err)
	}
	v := connectionView(c, svc.Name, time.Now())
	v.Options, v.Main = openOptions(svc.Description, c.Options), mains[c.MainID]
	return &one[Connection]{v}, nil
}

// mains are the names of the main connections of parts, by id; those that the key does not
// see are left out.
func (a *API) mains(ctx context.Context, parts ...connection.Connection) (map[string]string, error) {
	var ids []string
	for _, c := range parts {
		if c.MainID == "" || slices.Contains(ids, c.MainID) {
			continue
		}
		sees, err := a.sees(ctx, c.MainID)
		if err != nil {
			return nil, err
		}
		if sees {
			ids = append(ids, c.MainID)
		}
	}
	return a.store.Grants.ConnectionNames(ctx, ids)
}

// sees reports whether the key may see a connection.
func (a *API) sees(ctx context.Context, id string) (bool, error) {
	key := keyOf(ctx)
	if access.MayAdminister(key) || key.AllConnections {
		return true, nil
	}
	return a.access.Opens(ctx, key, id)
}

func (a *API) registerConnections() {
	huma.Register(a.huma, operation("list-connections", http.MethodGet, "/api/v1/connections", "List connections", "Connections"), a.listConnections)
	add := operation("add-connection", http.MethodPost, "/api/v1/connections", "Add a connection; authorize it next, or have the hub obtain its tokens", "Connections", 404, 422)
	add.Description = "A connection that is not authorized in a browser gets its token set at once. If the service gives none, the connection is there all the same, with the reason in obtaining; correct what is wrong and obtain again."
	add.DefaultStatus = http.StatusCreated
	huma.Register(a.huma, add, func(ctx context.Context, in *one[ConnectionBody]) (*one[Connection], error) {
		return a.addConnection(ctx, in.Body)
	})
	a.registerObtain()
	a.registerImports()
	a.registerShow()
	a.registerRenew()
	a.act("pause-connection", "/pause", "Stop renewal and pulls", a.conns.Pause)
	a.act("resume-connection", "/resume", "Take a paused connection up again", a.conns.Resume)
	a.registerRevoke()
	a.registerRestore()
	huma.Register(a.huma, operation("access-codes", http.MethodGet, "/api/v1/connections/{name}/access-codes", "The tokens as access codes («Коды доступа») to copy elsewhere", "Connections", 404, 409, 502, 503), a.accessCodes)
}

// serviceNames are what the services are called, by id; nothing that is sealed is opened
// for them.
func (a *API) serviceNames(ctx context.Context) (map[string]string, error) {
	services, err := a.store.Services.ServiceNames(ctx)
	names := make(map[string]string, len(services))
	for _, s := range services {
		names[s.ID] = s.Name
	}
	return names, err
}

func (a *API) listConnections(ctx context.Context, in *ListInput) (*listOf[Connection], error) {
	filter := grantdb.Filter{Query: in.Query, Tag: in.Tag, Limit: in.Limit, AfterName: in.After}
	if key := keyOf(ctx); !access.MayAdminister(key) && !key.AllConnections {
		filter.KeyID = key.ID
	}
	if in.Service != "" {
		svc, err := a.store.Services.ServiceByName(ctx, in.Service)
		if err != nil {
			return nil, a.fail(err)
		}
		filter.ServiceID = svc.ID
	}
	connections, err := a.store.Grants.Connections(ctx, filter)
	if err != nil {
		return nil, a.fail(err)
	}
	names, err := a.serviceNames(ctx)
	if err != nil {
		return nil, a.fail(err)
	}
	mains, err := a.mains(ctx, connections...)
	if err != nil {
		return nil, a.fail(err)
	}
	var items []Connection
	now := time.Now()
	for _, c := range connections {
		v := connectionView(c, names[c.ServiceID], now)
		v.Main = mains[c.MainID]
		items = append(items, v)
	}
	return list(items), nil
}

// registerShow is a look at one connection.
func (a *API) registerShow() {
	huma.Register(a.huma, operation("get-connection", http.MethodGet, "/api/v1/connections/{name}", "Show a connection", "Connections", 404),
		func(ctx context.Context, in *NameInput) (*one[Connection], error) {
			c, err := a.readable(ctx, in.Name)
			if err != nil {
				return nil, a.fail(err)
			}
			return a.view(ctx, c)
		})
}

// act registers an act on one connection that returns it.
func (a *API) act(id, suffix, summary string, do func(context.Context, connections.Which) (before, after connection.Connection, err error)) {
	huma.Register(a.huma, operation(id, http.MethodPost, "/api/v1/connections/{name}"+suffix, summary, "Connections", 404),
		func(ctx context.Context, in *NameInput) (*one[Connection], error) {
			before, c, err := do(ctx, connections.Named(in.Name))
			if err != nil {
				return nil, a.fail(err)
			}
			shown, err := a.view(ctx, c)
			if err == nil {
				shown.Body.Changed = new(before.State != c.State || before.Generation != c.Generation)
			}
			return shown, err
		})
}

func (a *API) accessCodes(ctx context.Context, in *struct {
	NameInput
	RefreshToken bool `query:"refresh_token" doc:"Also hand over the refresh token. Pause the connection then: two sides that renew one grant lose it"`
}) (*one[connection.AccessCodes], error) {
	codes, err := a.conns.Codes(ctx, connections.Named(in.Name), a.minTTL, in.RefreshToken)
	if err != nil {
		return nil, a.fail(err)
	}
	return &one[connection.AccessCodes]{codes}, nil
}
