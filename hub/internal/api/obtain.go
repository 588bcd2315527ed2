package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/evergrant/evergrant/hub/internal/app/connections"
	"github.com/evergrant/evergrant/hub/internal/authflow"
	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/sdk/provider"
)

// addConnection adds a connection, and obtains its token set unless a person has to
// authorize it in a browser. What was entered is checked first, so that a mistake in it
// leaves nothing behind.
func (a *API) addConnection(ctx context.Context, in ConnectionBody) (*one[Connection], error) {
	n := catalogue.NewConnection{Name: in.Name, Title: in.Title, Grant: provider.Grant(in.Grant), Options: in.Options}
	if len(in.Fields) > 0 {
		svc, err := a.store.Services.ServiceByName(ctx, in.Service)
		if err == nil {
			_, err = catalogue.CheckFields(svc, catalogue.GrantOf(svc, n.Grant), in.Fields)
		}
		if err != nil {
			return nil, a.fail(err)
		}
	}
	added, err := a.conns.Add(ctx, in.Service, n)
	if err != nil {
		return nil, a.fail(err)
	}
	c := added.Connection
	entered := c.Grant == provider.GrantLogin || c.Grant == provider.GrantStatic
	if c.Grant == provider.GrantAuthorizationCode || c.Grant == provider.GrantDevice || entered && len(in.Fields) == 0 {
		return a.view(ctx, c)
	}
	finished, err := a.grants.Obtain(ctx, c.Name, in.entered())
	failure, refused := errors.AsType[*authflow.Failure](err)
	switch {
	case err == nil:
		return a.view(ctx, finished.Connection)
	case !refused:
		return nil, a.fail(err)
	}
	v, err := a.view(ctx, c)
	if err == nil {
		v.Body.Obtaining = obtainingView(failure, time.Now())
	}
	return v, err
}

func obtainingView(failure *authflow.Failure, now time.Time) *LastError {
	v := &LastError{Kind: provider.Transient.String(), Code: string(failure.Reason), Message: failure.Error(), At: now.UTC(), Since: now.UTC(), Count: 1}
	if cause := failure.Cause; cause != nil {
		v.Kind, v.Message = cause.Kind.String(), cause.Error()
	}
	return v
}

// OptionsBody are the options of a connection.
type OptionsBody struct {
	Options map[string]any `json:"options" doc:"By the provider's connection_options; secret ones that are left out are kept"`
}

// registerObtain are the token sets that no browser is needed for, and a connection's own
// options.
func (a *API) registerObtain() {
	obtain := operation("obtain-token-set", http.MethodPost, "/api/v1/connections/{name}/token-set",
		"Obtain a token set without a browser", "Connections", 404, 409, 422, 502, 503)
	obtain.Description = "By client credentials; by a login or a static key, whose fields replace those that are kept if the service accepts them. Without fields a login is repeated with what is kept."
	huma.Register(a.huma, obtain, func(ctx context.Context, in *struct {
		NameInput
		Body Entry
	}) (*one[Connection], error) {
		finished, err := a.grants.Obtain(ctx, in.Name, in.Body.entered())
		if err != nil {
			return nil, a.fail(err)
		}
		return a.view(ctx, finished.Connection)
	})
	set := operation("set-connection-options", http.MethodPut, "/api/v1/connections/{name}/options", "Set the connection's own options", "Connections", 404, 422)
	huma.Register(a.huma, set, func(ctx context.Context, in *struct {
		NameInput
		Body OptionsBody
	}) (*one[Connection], error) {
		c, err := a.conns.SetOptions(ctx, connections.Named(in.Name), in.Body.Options)
		if err != nil {
			return nil, a.fail(err)
		}
		return a.view(ctx, c)
	})
}

// openOptions are the options that are not secret.
func openOptions(d *provider.Description, options map[string]any) map[string]any {
	if d == nil || len(options) == 0 {
		return nil
	}
	open := map[string]any{}
	for _, o := range d.ConnectionOptions.Options {
		if v, ok := options[o.Name]; ok && !o.Secret {
			open[o.Name] = v
		}
	}
	return open
}
