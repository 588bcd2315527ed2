package catalogue

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/sdk/provider"
)

// AddConnection names a new connection of a service; it has no grant yet. An
// empty name is made of the title.
func (c *Catalogue) AddConnection(ctx context.Context, serviceID, name, title string) (connection.Connection, error) {
	svc, err := c.store.Services.Service(ctx, serviceID)
	if err != nil {
		return connection.Connection{}, err
	}
	conn, err := newConnection(svc, name, title)
	if err != nil {
		return conn, err
	}
	if err := c.store.Grants.CreateConnection(ctx, conn); err != nil {
		if errors.Is(err, store.ErrNameTaken) {
			return conn, taken()
		}
		return conn, err
	}
	c.log.Info("connection added", "connection", conn.Name, "service", svc.Name)
	return conn, nil
}

// newConnection is a connection of a service before it is stored.
func newConnection(svc service.Service, name, title string) (connection.Connection, error) {
	name, title = strings.TrimSpace(name), strings.TrimSpace(title)
	if name == "" {
		name = Slug(title)
	}
	if title == "" {
		title = name
	}
	invalid := &InvalidError{}
	invalid.checkConnectionName(name)
	if len(title) > 300 {
		invalid.add("title", "Use at most 300 characters.", "Не более 300 символов.")
	}
	if err := invalid.orNil(); err != nil {
		return connection.Connection{}, err
	}
	conn := connection.New(time.Now(), store.NewID(), name, title, svc.ID, connection.PolicyOf(svc.Description, provider.GrantAuthorizationCode))
	conn.RequestedScopes = svc.Scopes
	return conn, nil
}

// checkConnectionName is checkName with the names that are addresses of pages.
func (e *InvalidError) checkConnectionName(name string) {
	e.checkName(name)
	if name == "new" || name == "import" {
		e.add("name", "The hub has a page of this name; choose another name.", "У хаба есть страница с таким именем; выберите другое.")
	}
}

// Pause stops renewal and pulls of a connection.
func (c *Catalogue) Pause(ctx context.Context, id string) (connection.Connection, error) {
	return c.change(ctx, id, func(conn connection.Connection) connection.Connection { return conn.Paused(time.Now()) })
}

// Resume takes a paused connection up again.
func (c *Catalogue) Resume(ctx context.Context, id string) (connection.Connection, error) {
	return c.change(ctx, id, func(conn connection.Connection) connection.Connection { return conn.Resumed(time.Now()) })
}

// change applies a pure change to a connection with a compare-and-set.
func (c *Catalogue) change(ctx context.Context, id string, do func(connection.Connection) connection.Connection) (connection.Connection, error) {
	for range 5 {
		conn, err := c.store.Grants.Connection(ctx, id)
		if err != nil {
			return conn, err
		}
		changed := do(conn)
		if err = c.store.Grants.UpdateConnection(ctx, changed, conn); !errors.Is(err, store.ErrStale) {
			return changed, err
		}
	}
	return connection.Connection{}, store.ErrStale
}

// Revoke gives a grant back: at the service if it can, and in the hub always.
func (c *Catalogue) Revoke(ctx context.Context, id string) (Revoked, error) {
	conn, err := c.store.Grants.Connection(ctx, id)
	if err != nil {
		return Revoked{}, err
	}
	result, err := c.revokeAtService(ctx, conn)
	if err != nil {
		return result, err
	}
	_, err = c.change(ctx, id, func(conn connection.Connection) connection.Connection { return conn.Revoked(time.Now()) })
	if err == nil && conn.Granting() {
		c.tell(ctx, conn, GoneRevoked)
	}
	return result, err
}
