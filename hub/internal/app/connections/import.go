package connections

import (
	"context"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/tokensource"
)

// Import adds a connection with a grant that was obtained elsewhere. It belongs to the
// contact of the person who imports it. Errors: *catalogue.InvalidError;
// store.ErrNotFound for the service.
func (x *Connections) Import(ctx context.Context, in catalogue.Import) (c connection.Connection, err error) {
	in.Actor = act.From(ctx).UserID
	a := act.Act{Name: "connection.import", Needs: access.ActManage, On: on(in.Name)}
	err = x.o.Recorder.Change(ctx, a, func(ctx context.Context, e *act.Entry) (err error) {
		if c, err = x.o.Catalogue.Import(ctx, in); err != nil {
			return err
		}
		e.Named(c.Name)
		return x.owned(ctx, c.ID)
	})
	return c, err
}

// ImportNow is Import, and a renewal at once if the grant has no valid access token: who
// imports sees whether it works. What the service answers is told by the connection.
func (x *Connections) ImportNow(ctx context.Context, in catalogue.Import) (connection.Connection, error) {
	c, err := x.Import(ctx, in)
	if err != nil || in.Grant.AccessToken != "" {
		return c, err
	}
	if _, err := x.o.Source.RenewWithin(ctx, c, tokensource.UsualWait); err != nil {
		x.o.Logger.Warn("renew imported grant failed, next attempt when due", "connection", c.Name, "error", err)
	}
	return c, nil
}
