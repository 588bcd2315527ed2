package connections

import (
	"context"
	"errors"
	"time"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
)

// Delete moves a connection into the trash; with catalogue.RevokeGrant its grant is given
// back first, which asks the service. Errors: store.ErrNotFound.
func (x *Connections) Delete(ctx context.Context, w Which, grant catalogue.WithGrant) (before connection.Connection, revoked catalogue.Revoked, err error) {
	carryOut := x.o.Recorder.Change
	if grant == catalogue.RevokeGrant {
		carryOut = x.o.Recorder.Ask
	}
	a := act.Act{Name: "connection.delete", Needs: access.ActManage, On: on(w.Name)}
	err = carryOut(ctx, a, func(ctx context.Context, e *act.Entry) (err error) {
		if before, err = x.find(ctx, w); err != nil {
			return err
		}
		e.Add("id", before.ID)
		if revoked, err = x.o.Catalogue.Delete(ctx, before.ID, grant); err == nil {
			e.Add("grant", revoked.Word())
		}
		return err
	})
	return before, revoked, err
}

// PutBack takes a connection out of the trash, under its name or, if name is not empty,
// under another. Errors: store.ErrNotFound; *catalogue.InvalidError if the name cannot be
// had.
func (x *Connections) PutBack(ctx context.Context, id, name string) (c connection.Connection, err error) {
	a := act.Act{Name: "connection.put_back", Needs: access.ActManage, On: on(name), Detail: []string{"id", id}}
	err = x.o.Recorder.Change(ctx, a, func(ctx context.Context, e *act.Entry) (err error) {
		trashed, err := x.o.Store.Grants.Trashed(ctx, id)
		if err != nil {
			return err
		}
		e.Named(trashed.Name)
		if c, err = x.o.Catalogue.PutBack(ctx, id, name); err == nil {
			e.Named(c.Name)
		}
		return err
	})
	return c, err
}

// Remove removes a connection from the trash for good, after giving its grant back. Errors:
// store.ErrNotFound.
func (x *Connections) Remove(ctx context.Context, id string) (was grantdb.Trashed, revoked catalogue.Revoked, err error) {
	if was, err = x.o.Store.Grants.Trashed(ctx, id); err != nil && !errors.Is(err, store.ErrNotFound) {
		return was, revoked, err
	}
	a := act.Act{Name: "connection.remove", Needs: access.ActManage, On: on(was.Name), Detail: []string{"id", id}}
	err = x.o.Recorder.Ask(ctx, a, func(ctx context.Context, e *act.Entry) (err error) {
		if revoked, err = x.o.Catalogue.Remove(ctx, id); err == nil {
			e.Add("grant", revoked.Word())
		}
		return err
	})
	return was, revoked, err
}

// emptiedAtOnce bounds how many connections one look at the trash removes.
const emptiedAtOnce = 20

// EmptyTrash removes for good what was deleted before a time. It is called periodically, by
// one replica; each removal is an act of its own.
func (x *Connections) EmptyTrash(ctx context.Context, before time.Time) error {
	old, err := x.o.Store.Grants.Trash(ctx, grantdb.TrashFilter{Before: before, Limit: emptiedAtOnce})
	if err != nil {
		return err
	}
	ctx = act.Within(ctx, "because", "trash.keep")
	var problems []error
	for _, t := range old {
		if _, _, err := x.Remove(ctx, t.ID); !errors.Is(err, store.ErrNotFound) { // put back or removed meanwhile
			problems = append(problems, err)
		}
	}
	return errors.Join(problems...)
}
