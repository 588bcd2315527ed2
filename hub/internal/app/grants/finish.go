package grants

import (
	"context"
	"errors"
	"net/url"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/authflow"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/authdb"
)

// Finish ends an authorization with the parameters of its callback: the grant is saved, or
// handed over once to who may look at tokens or came by the front page. browsers are the
// secrets in the browser's cookies. Errors: *authflow.Failure; act.ErrNotAllowed for a
// grant that is not handed over, which is then dropped, and finished has its service alone.
func (g *Grants) Finish(ctx context.Context, serviceName string, params url.Values, browsers ...string) (finished *authflow.Finished, err error) {
	awaited, err := g.o.Flow.Awaited(ctx, serviceName, params, browsers...)
	if err != nil {
		return nil, err
	}
	if awaited == nil { // anybody can send that: the hub's log has it
		return g.o.Flow.Finish(ctx, serviceName, params, browsers...)
	}
	a, err := g.ending(ctx, awaited, serviceName)
	if err != nil {
		return nil, err
	}
	err = g.o.Recorder.Ask(g.as(ctx, awaited.ConnectionID, awaited.BrowserHash), a, func(ctx context.Context, e *act.Entry) (err error) {
		if finished, err = g.o.Flow.Finish(ctx, serviceName, params, browsers...); err == nil && finished.Once {
			err = g.mayTake(ctx, finished)
		}
		ended(ctx, e, finished, err)
		if errors.Is(err, act.ErrNotAllowed) {
			finished = &authflow.Finished{Once: true, Service: finished.Service}
		}
		return err
	})
	return finished, err
}

// ending is the act that the callback of an authorization is.
func (g *Grants) ending(ctx context.Context, a *authdb.Authorization, serviceName string) (act.Act, error) {
	if a.ConnectionID == "" {
		return act.Act{Name: "service.once", On: onService(serviceName)}, nil
	}
	c, err := g.o.Store.Grants.ConnectionOrTrashed(ctx, a.ConnectionID)
	return act.Act{Name: "connection.authorized", On: on(c.Name)}, err
}

// ended adds to a record how an authorization ended and whose the grant is.
func ended(ctx context.Context, e *act.Entry, finished *authflow.Finished, err error) {
	e.Add(browser(ctx)...)
	if finished != nil {
		e.Add("account", account(finished.Connection.Account))
		e.Add(partsOf(finished)...)
	}
	failure, is := errors.AsType[*authflow.Failure](err)
	if !is {
		return
	}
	e.Add("account", account(failure.Got), "reference", failure.Reference)
	if failure.Reason == authflow.ReasonStillWaiting {
		e.Later()
	}
}

// mayTake checks that a grant that is not kept is shown to who may see it: on the front page
// every visitor while the service is published, otherwise who may read tokens.
func (g *Grants) mayTake(ctx context.Context, finished *authflow.Finished) error {
	if finished.ReturnTo == FrontPage {
		_, err := g.o.Store.Services.Published(ctx, finished.Service.ID)
		if err == nil || !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	if who := act.From(ctx); who.UserID == "" || !who.May(access.ActCodes) {
		return act.ErrNotAllowed
	}
	return nil
}

// Paste ends an authorization with what its person landed on. Who pastes must have started
// it. Errors: *authflow.Failure, store.ErrNotFound.
func (g *Grants) Paste(ctx context.Context, connectionName, pasted string) (finished *authflow.Finished, err error) {
	a := act.Act{Name: "connection.paste", Needs: access.ActOperate, On: on(connectionName)}
	err = g.o.Recorder.Ask(ctx, a, func(ctx context.Context, e *act.Entry) error {
		c, _, err := g.found(ctx, e, connectionName)
		if err != nil {
			return err
		}
		finished, err = g.o.Flow.FinishPasted(ctx, c.ID, userID(ctx), pasted)
		ended(ctx, e, finished, err)
		return err
	})
	return finished, err
}

// Late records what came of an exchange that took longer than its callback waited, of which
// only the beginning is recorded. The context is that of the callback.
func (g *Grants) Late(ctx context.Context, a *authdb.Authorization, finished *authflow.Finished, err error) {
	ending, readErr := g.ending(ctx, a, "")
	if readErr != nil {
		g.o.Logger.Error("record the end of an authorization failed", "connection_id", a.ConnectionID, "error", readErr)
		return
	}
	if finished != nil {
		ending.Detail = append(append(ending.Detail, "account", account(finished.Connection.Account)), partsOf(finished)...)
	}
	g.o.Recorder.Ended(ctx, ending, err)
}
