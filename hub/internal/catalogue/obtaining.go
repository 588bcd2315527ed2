package catalogue

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/sdk/provider"
)

// obtaining are the grants by which the hub gets a connection its tokens, in the order in
// which they are offered.
var obtaining = []provider.Grant{
	provider.GrantAuthorizationCode, provider.GrantDevice, provider.GrantClientCredentials, provider.GrantAssertion, provider.GrantLogin, provider.GrantStatic,
}

// GrantsOf are the grants that a connection of a service can be made with. They are those
// of the prepared description: a provider may serve less for one service than it can.
func GrantsOf(svc service.Service) []provider.Grant { return grantsIn(svc.Description) }

func grantsIn(d *provider.Description) []provider.Grant {
	if d == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(obtaining), func(g provider.Grant) bool { return !slices.Contains(d.Grants, g) })
}

// GrantOf is the grant of a new connection: the one that was named, or else the only one,
// or the authorization code.
func GrantOf(svc service.Service, wanted provider.Grant) provider.Grant {
	grants := GrantsOf(svc)
	if len(grants) == 0 {
		return cmp.Or(wanted, provider.GrantAuthorizationCode)
	}
	if wanted == "" && (len(grants) == 1 || grants[0] == provider.GrantAuthorizationCode) {
		return grants[0]
	}
	return wanted
}

// chooseGrant is GrantOf with a problem if the service does not offer it.
func (e *InvalidError) chooseGrant(svc service.Service, wanted provider.Grant) provider.Grant {
	grants := GrantsOf(svc)
	if wanted = GrantOf(svc, wanted); len(grants) == 0 || slices.Contains(grants, wanted) {
		return wanted
	}
	e.add("grant", "Choose one of the ways that the service offers.", "Выберите один из способов, которые предлагает сервис.")
	return wanted
}

// checkSchema validates values against a schema; problems are those of the fields that
// begin with a prefix.
func (e *InvalidError) checkSchema(prefix string, schema provider.Schema, entered map[string]any) map[string]any {
	if schema.IsZero() && len(entered) == 0 {
		return nil
	}
	values, problems := schema.Validate(entered)
	for _, p := range problems {
		e.Problems = append(e.Problems, Problem{Field: prefix + p.Option, Message: i18n.Words(p.Message)})
	}
	return values
}

// SchemaOf is the form of what a person enters for a grant; zero where nothing is entered.
func SchemaOf(d *provider.Description, grant provider.Grant) provider.Schema {
	switch grant {
	case provider.GrantLogin:
		return d.Login
	case provider.GrantStatic:
		return d.StaticKey.Fields
	}
	return provider.Schema{}
}

// CheckFields checks what was entered for the grant of a connection against its schema.
// Fields that are not secret keep what is there if they were left out. Errors:
// *InvalidError, whose fields are "fields.NAME".
func CheckFields(svc service.Service, grant provider.Grant, entered map[string]any) (provider.Fields, error) {
	invalid := &InvalidError{}
	fields := invalid.checkSchema("fields.", SchemaOf(svc.Description, grant), entered)
	return fields, invalid.orNil()
}

// SetConnectionOptions replaces the options of a connection; secret ones that were left
// empty are kept. Errors: *InvalidError, store.ErrNotFound, store.ErrStale.
func (c *Catalogue) SetConnectionOptions(ctx context.Context, id string, entered map[string]any) (connection.Connection, error) {
	for range 5 {
		conn, err := c.store.Grants.Connection(ctx, id)
		if err != nil {
			return conn, err
		}
		svc, err := c.store.Services.Service(ctx, conn.ServiceID)
		if err != nil {
			return conn, err
		}
		invalid, schema := &InvalidError{}, svc.Description.ConnectionOptions
		options := invalid.checkSchema("options.", schema, keepSecrets(entered, conn.Options, schema))
		if err := invalid.orNil(); err != nil {
			return conn, err
		}
		changed := conn.WithOptions(time.Now(), options)
		if err = c.store.Grants.UpdateConnection(ctx, changed, conn); !errors.Is(err, store.ErrStale) {
			return changed, err
		}
	}
	return connection.Connection{}, store.ErrStale
}
