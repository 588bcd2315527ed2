package connections

import (
	"context"
	"errors"

	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store"
)

// Parts are what a connection shares an authorization with.
type Parts struct {
	// Main is the main connection of a part; its Name is "" if that is in the trash or gone,
	// and for a connection that is no part.
	Main connection.Connection
	// Trashed is set for a part whose main connection is in the trash.
	Trashed bool
	// Of are the connections of a main one's parts, without those in the trash.
	Of []connection.Connection
}

// Parts reads what a connection shares an authorization with.
func (x *Connections) Parts(ctx context.Context, c connection.Connection) (p Parts, err error) {
	if c.MainID != "" {
		p.Main, p.Trashed, err = x.main(ctx, c.MainID)
		return p, err
	}
	all, err := x.o.Store.Grants.Parts(ctx, c.ID)
	for _, part := range all {
		if !part.Trashed {
			p.Of = append(p.Of, part.Connection)
		}
	}
	return p, err
}

func (x *Connections) main(ctx context.Context, id string) (c connection.Connection, trashed bool, err error) {
	if c, err = x.o.Store.Grants.Connection(ctx, id); !errors.Is(err, store.ErrNotFound) {
		return c, false, err
	}
	_, err = x.o.Store.Grants.Trashed(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return connection.Connection{}, false, nil
	}
	return connection.Connection{}, err == nil, err
}

// CountParts counts the parts of main connections, by their ids.
func (x *Connections) CountParts(ctx context.Context, mainIDs []string) (map[string]int, error) {
	return x.o.Store.Grants.CountParts(ctx, mainIDs)
}

// Deleted is a connection that was moved into the trash, and what became of its grant.
type Deleted struct {
	Connection connection.Connection
	Revoked    catalogue.Revoked
}

// DeleteWithParts is Delete for a main connection and its parts, each an act of its own;
// the parts go first, so that none is left without its main one. It ends at the first one
// that fails: deleted are those before. Errors: as Delete.
func (x *Connections) DeleteWithParts(ctx context.Context, w Which, grant catalogue.WithGrant) (deleted []Deleted, err error) {
	c, err := x.find(ctx, w)
	if err != nil {
		return nil, err
	}
	parts, err := x.Parts(ctx, c)
	if err != nil {
		return nil, err
	}
	for _, each := range append(parts.Of, c) {
		before, revoked, err := x.Delete(ctx, Which{ID: each.ID, Name: each.Name}, grant)
		if err != nil {
			return deleted, err
		}
		deleted = append(deleted, Deleted{Connection: before, Revoked: revoked})
	}
	return deleted, nil
}
