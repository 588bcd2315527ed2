package catalogue

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store"
)

// WithGrant determines what happens to the grant of a connection that is deleted.
type WithGrant bool

// What can become of it.
const (
	// KeepGrant keeps it: the connection can be restored with it, and it is revoked when
	// the trash is emptied.
	KeepGrant WithGrant = false
	// RevokeGrant gives it back at once.
	RevokeGrant WithGrant = true
)

// Delete moves a connection into the trash. Its grant is not renewed there; with
// RevokeGrant it is given back first. Errors: store.ErrNotFound.
func (c *Catalogue) Delete(ctx context.Context, id string, grant WithGrant) (Revoked, error) {
	conn, err := c.store.Grants.Connection(ctx, id)
	if err != nil {
		return Revoked{}, err
	}
	var result Revoked
	if grant == RevokeGrant {
		if result, err = c.Revoke(ctx, id); err != nil {
			return result, err
		}
	}
	if err = c.store.Grants.TrashConnection(ctx, id, audit.From(ctx).Name, time.Now()); err == nil {
		c.log.Info("connection moved to trash", "connection", conn.Name, "id", conn.ID)
		c.tell(ctx, conn, GoneTrashed)
	}
	return result, err
}

// PutBack takes a connection out of the trash, under its name or, if name is not empty, under
// another. Errors: store.ErrNotFound; *InvalidError if the name cannot be had.
func (c *Catalogue) PutBack(ctx context.Context, id, name string) (connection.Connection, error) {
	trashed, err := c.store.Grants.Trashed(ctx, id)
	if err != nil {
		return trashed.Connection, err
	}
	if name = strings.TrimSpace(name); name == "" {
		name = trashed.Name
	}
	invalid := &InvalidError{}
	invalid.checkConnectionName(name)
	if err := invalid.orNil(); err != nil {
		return trashed.Connection, err
	}
	conn, err := c.store.Grants.RestoreTrashed(ctx, id, name, time.Now())
	if errors.Is(err, store.ErrNameTaken) {
		return trashed.Connection, taken()
	}
	if err != nil {
		return conn, err
	}
	c.log.Info("connection restored from trash", "connection", conn.Name, "id", conn.ID)
	was := conn
	was.Name = trashed.Name
	c.tell(ctx, was, GoneBack)
	return c.upToDate(ctx, conn)
}

// upToDate gives a connection the policy that its service has got meanwhile.
func (c *Catalogue) upToDate(ctx context.Context, conn connection.Connection) (connection.Connection, error) {
	svc, err := c.store.Services.Service(ctx, conn.ServiceID)
	if err != nil {
		return conn, err
	}
	return c.change(ctx, conn.ID, func(conn connection.Connection) connection.Connection {
		return conn.WithPolicy(time.Now(), connection.PolicyOf(svc.Description, conn.Grant))
	})
}

// Remove removes a connection from the trash permanently, after revoking its grant.
// Errors: store.ErrNotFound.
func (c *Catalogue) Remove(ctx context.Context, id string) (Revoked, error) {
	trashed, err := c.store.Grants.Trashed(ctx, id)
	if err != nil {
		return Revoked{}, err
	}
	result, err := c.revokeAtService(ctx, trashed.Connection)
	if err != nil {
		return result, err
	}
	if err = c.store.Grants.DeleteTrashed(ctx, id); err == nil {
		c.log.Info("connection deleted from trash", "connection", trashed.Name, "id", trashed.ID)
		c.tell(ctx, trashed.Connection, GoneDeleted)
	}
	return result, err
}
