package connections

import (
	"context"
	"time"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/authflow"
	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/tokensource"
	"github.com/evergrant/evergrant/sdk/provider"
)

// Import adds a connection with a grant that was obtained elsewhere. It belongs to the
// contact of the person who imports it. A static key is shown to its plugin first, which
// spends nothing. Errors: *catalogue.InvalidError; *authflow.Failure for a key;
// store.ErrNotFound for the service.
func (x *Connections) Import(ctx context.Context, in catalogue.Import) (c connection.Connection, err error) {
	in.Actor = act.From(ctx).UserID
	a := act.Act{Name: "connection.import", Needs: access.ActManage, On: on(in.Name)}
	if act.From(ctx).May(a.Needs) {
		if in, err = x.keyed(ctx, in); err != nil {
			x.o.Recorder.Ended(ctx, a, err)
			return c, err
		}
	}
	err = x.o.Recorder.Change(ctx, a, func(ctx context.Context, e *act.Entry) (err error) {
		if c, err = x.o.Catalogue.Import(ctx, in); err != nil {
			return err
		}
		e.Named(c.Name)
		e.Add("grant", string(c.Grant))
		return x.owned(ctx, c.ID)
	})
	return c, err
}

// keyed is an import with the token of its static key, if it brings one.
func (x *Connections) keyed(ctx context.Context, in catalogue.Import) (catalogue.Import, error) {
	if len(in.Fields) == 0 {
		return in, nil
	}
	c, svc, err := x.o.Catalogue.Expect(ctx, in)
	if err != nil || c.Grant != provider.GrantStatic {
		return in, err
	}
	in.Grant, in.Account, err = x.o.Flow.Key(ctx, svc, c, c.Tokens.Fields)
	return in, err
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

// CheckImports sets the Problem of rows that their services refuse.
func (x *Connections) CheckImports(ctx context.Context, rows []catalogue.ImportRow) error {
	all, err := x.o.Store.Services.Services(ctx)
	if err != nil {
		return err
	}
	services := make(map[string]service.Service, len(all))
	for _, s := range all {
		services[s.Name] = s
	}
	catalogue.CheckImport(rows, services, time.Now())
	return nil
}

// RehearseImport asks the service of an import whether its renewal would work, without
// adding anything; a static key is shown to its plugin. It spends nothing. A grant that was
// imported before is asked about with its newest tokens. Errors: those of Import, and
// *store.DetachedError.
func (x *Connections) RehearseImport(ctx context.Context, in catalogue.Import) (r authflow.Rehearsal, err error) {
	a := act.Act{Name: "connection.rehearse", Needs: access.ActManage, On: on(in.Name)}
	err = x.o.Recorder.Ask(ctx, a, func(ctx context.Context, e *act.Entry) error {
		c, svc, err := x.o.Catalogue.Expect(ctx, in)
		if err != nil {
			return err
		}
		if c.Grant == provider.GrantStatic && len(in.Fields) > 0 {
			_, _, err = x.o.Flow.Key(ctx, svc, c, c.Tokens.Fields)
			return err
		}
		r.Verdict = authflow.NoWay
		if c.Tokens.AccessToken != "" || c.Tokens.RefreshToken != "" {
			r, err = x.o.Flow.Rehearse(ctx, c, svc)
		}
		e.Add("verdict", string(r.Verdict))
		return err
	})
	return r, err
}

// Try renews what was imported now, and waits for the service as long as ctx lasts. One that
// is held stays paused with its new tokens. Results and errors are as those of Renew.
func (x *Connections) Try(ctx context.Context, w Which) (before, after connection.Connection, err error) {
	return x.renewBy(ctx, about("connection.renew", access.ActManage, w), w, func(ctx context.Context, c connection.Connection) (connection.Connection, error) {
		if c.State == connection.StatePaused {
			return x.o.Source.Try(ctx, c, tryWait)
		}
		return x.o.Source.Ask(ctx, c, tryWait)
	})
}

// tryWait bounds how long the renewal of an import is waited for; it goes on after that.
const tryWait = 45 * time.Second

// TakeUp takes all of what was imported and held into use, or nothing of it. Errors: those of
// Resume.
func (x *Connections) TakeUp(ctx context.Context, imported []Which) error {
	return x.o.Store.InTx(ctx, func(ctx context.Context) error {
		for _, w := range imported {
			if _, _, err := x.Resume(ctx, w); err != nil {
				return err
			}
		}
		return nil
	})
}

// SetAside moves what was imported and held into the trash, with the tokens that it has got
// since. It can be put back from there, and an import of the same token takes it from there.
// Errors: those of Delete.
func (x *Connections) SetAside(ctx context.Context, imported []Which) error {
	return x.o.Store.InTx(ctx, func(ctx context.Context) error {
		for _, w := range imported {
			if err := x.setAside(ctx, w); err != nil {
				return err
			}
		}
		return nil
	})
}

func (x *Connections) setAside(ctx context.Context, w Which) error {
	a := about("connection.delete", access.ActManage, w, "because", "import")
	return x.o.Recorder.Change(ctx, a, func(ctx context.Context, _ *act.Entry) error {
		if _, err := x.o.Catalogue.Resume(ctx, w.ID); err != nil { // so that it is active once it is put back
			return err
		}
		_, err := x.o.Catalogue.Delete(ctx, w.ID, catalogue.KeepGrant)
		return err
	})
}
