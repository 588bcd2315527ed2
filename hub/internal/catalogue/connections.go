package catalogue

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/operation"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/sdk/provider"
)

// AddConnection names a new connection of a service; it has no grant yet. An
// empty name is made of the title.
func (c *Catalogue) AddConnection(ctx context.Context, serviceID, name, title string) (connection.Connection, error) {
	svc, err := c.store.Service(ctx, serviceID)
	if err != nil {
		return connection.Connection{}, err
	}
	conn, err := newConnection(svc, name, title)
	if err != nil {
		return conn, err
	}
	if err := c.store.CreateConnection(ctx, conn); err != nil {
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
	invalid.checkName(name)
	if name == "new" || name == "import" {
		invalid.add("name", "The hub has a page of this name; choose another name.", "У хаба есть страница с таким именем; выберите другое.")
	}
	if len(title) > 300 {
		invalid.add("title", "Use at most 300 characters.", "Не более 300 символов.")
	}
	if err := invalid.orNil(); err != nil {
		return connection.Connection{}, err
	}
	conn := connection.New(time.Now(), store.NewID(), name, title, svc.ID, connection.PolicyOf(svc.Description))
	conn.RequestedScopes = svc.Scopes
	return conn, nil
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
		conn, err := c.store.Connection(ctx, id)
		if err != nil {
			return conn, err
		}
		changed := do(conn)
		if err = c.store.UpdateConnection(ctx, changed, conn.Generation); !errors.Is(err, store.ErrStale) {
			return changed, err
		}
	}
	return connection.Connection{}, store.ErrStale
}

// Revoked says what came of giving a grant back.
type Revoked struct {
	// Supported is set if the service has a way to revoke a grant.
	Supported bool
	// Err is why the service could not be told; the hub forgets the tokens all
	// the same.
	Err error
}

// Revoke gives a grant back: at the service if it can, and in the hub always.
func (c *Catalogue) Revoke(ctx context.Context, id string) (Revoked, error) {
	conn, err := c.store.Connection(ctx, id)
	if err != nil {
		return Revoked{}, err
	}
	result, err := c.revokeAtService(ctx, conn)
	if err != nil {
		return result, err
	}
	_, err = c.change(ctx, id, func(conn connection.Connection) connection.Connection { return conn.Revoked(time.Now()) })
	return result, err
}

// Delete removes a connection, after giving its grant back.
func (c *Catalogue) Delete(ctx context.Context, id string) (Revoked, error) {
	result, err := c.Revoke(ctx, id)
	if err != nil {
		return result, err
	}
	return result, c.store.DeleteConnection(ctx, id)
}

func (c *Catalogue) revokeAtService(ctx context.Context, conn connection.Connection) (Revoked, error) {
	svc, err := c.store.Service(ctx, conn.ServiceID)
	if err != nil {
		return Revoked{}, err
	}
	if !slices.Contains(svc.Description.Grants, provider.GrantRevoke) {
		return Revoked{}, nil
	}
	result := Revoked{Supported: true}
	if conn.Tokens.AccessToken == "" {
		return result, nil
	}
	ctx, cancel := context.WithTimeout(ctx, prepareTimeout)
	defer cancel()
	now := time.Now()
	result.Err = c.runner.Revoke(ctx, &operation.Op{Service: svc, Now: now}, conn.Tokens.Token(now))
	if result.Err != nil {
		c.log.Warn("the service could not be told that a grant is given back", "connection", conn.Name, "error", result.Err)
	}
	return result, nil
}
