package authflow

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/operation"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/sdk/provider"
)

// ErrNoBrowser is an authorization in a browser of what gets its tokens otherwise.
var ErrNoBrowser error = provider.Errorf(provider.Blocked, "no_browser", "this is not authorized in a browser: the hub gets its tokens by a request of its own, or from what a person enters")

// Entered is what a person entered for a login or a static key.
type Entered struct {
	// Fields are checked against the schema of the grant.
	Fields provider.Fields
	// Ends is when a static key ends, as far as the person knows; zero if not.
	Ends time.Time
}

// Obtain gets a connection its token set without a browser: by client credentials or an
// assertion, by a login, or from a key that a person made at the service. What was entered
// replaces what is kept only if the service has accepted it; a login without new fields is
// one with those that are kept. The operation outlives its caller. Errors: *Failure,
// *store.DetachedError, of the store.
func (f *Flow) Obtain(ctx context.Context, connectionID string, entered Entered) (*Finished, error) {
	if err := f.o.Store.Detached(ctx); err != nil {
		return nil, err
	}
	c, err := f.o.Store.Grants.Connection(ctx, connectionID)
	if err != nil {
		return nil, err
	}
	svc, err := f.o.Store.Services.Service(ctx, c.ServiceID)
	if err != nil {
		return nil, err
	}
	if len(entered.Fields) == 0 {
		entered.Fields = c.Tokens.Fields
	}
	type result struct {
		finished *Finished
		err      error
	}
	ended := make(chan result, 1)
	f.work.Go(func() {
		finished, err := f.obtain(context.WithoutCancel(ctx), svc, c, entered)
		ended <- result{finished, err}
	})
	timer := time.NewTimer(f.o.MaxWait)
	defer timer.Stop()
	select {
	case r := <-ended:
		return r.finished, r.err
	case <-timer.C:
		return nil, f.fail(&Failure{Reason: ReasonStillWaiting, Service: &svc})
	}
}

// obtain asks for the token set and saves it.
func (f *Flow) obtain(ctx context.Context, svc service.Service, c connection.Connection, entered Entered) (*Finished, error) {
	failure := &Failure{Service: &svc}
	now := time.Now()
	op := &operation.Op{ID: store.NewID(), Service: svc.At(now), Connection: c.ForProvider(), Now: now}
	token, err := f.ask(ctx, op, c.Grant, entered)
	if err != nil {
		failure.Cause = causeOf(err)
		failure.Reason = reasonOfObtaining(c.Grant, failure.Cause)
		return nil, f.fail(failure)
	}
	account, err := f.identify(ctx, svc, op.Connection, *token, now)
	if err != nil {
		f.o.Logger.Warn("token set obtained, account unknown", "connection", c.Name, "error", causeOf(err).Message)
	}
	if err != nil && c.Account.ID != "" {
		failure.Cause, failure.Reason, failure.Wanted = causeOf(err), reasonOfObtaining(c.Grant, causeOf(err)), c.Account
		return nil, f.fail(failure)
	}
	if len(token.Parts) > 0 {
		f.o.Logger.Error("token response has parts, which only an authorization by a person brings: not kept", "connection", c.Name, "plugin", svc.Provider)
	}
	return f.saveObtained(ctx, svc, c.ID, now, *token, account, entered)
}

// ask runs the operation of a grant.
func (f *Flow) ask(ctx context.Context, op *operation.Op, grant provider.Grant, entered Entered) (*provider.Token, error) {
	if !slices.Contains(op.Service.Description.Grants, grant) {
		return nil, provider.Errorf(provider.Blocked, "grant_not_served", "the service does not serve the grant %q any more", grant)
	}
	if grant == provider.GrantStatic {
		return f.o.Runner.Static(ctx, op, entered.Fields)
	}
	if !grant.Reissues() {
		return nil, ErrNotObtained
	}
	token, _, err := f.o.Runner.Obtain(ctx, op, operation.Obtaining{Grant: grant, Fields: entered.Fields})
	return token, err
}

// ErrNotObtained is a connection that a person has to authorize in a browser.
var ErrNotObtained = provider.Errorf(provider.Blocked, "needs_browser", "a person has to authorize this connection in a browser")

// saveObtained writes the token set. Renewals may move the generation meanwhile, so the
// compare-and-set is tried on the row as it is.
func (f *Flow) saveObtained(ctx context.Context, svc service.Service, id string, asked time.Time, token provider.Token, account provider.Account, entered Entered) (*Finished, error) {
	for range 5 {
		c, err := f.o.Store.Grants.Connection(ctx, id)
		if err != nil {
			return nil, wrap("read the connection", err)
		}
		if c.Account.ID != "" && account.ID != "" && c.Account.ID != account.ID {
			return nil, f.fail(&Failure{Service: &svc, Reason: ReasonOtherAccount, Wanted: c.Account, Got: account})
		}
		if wanted, err := f.disallowed(ctx, c.ID, account); err != nil {
			return nil, err
		} else if wanted.Name != "" {
			reason := ReasonAccountNotAllowed
			if account == (provider.Account{}) {
				reason = ReasonAccountNotTold
			}
			return nil, f.fail(&Failure{Service: &svc, Reason: reason, Wanted: wanted, Got: account})
		}
		was := c
		c.Policy = connection.PolicyOf(svc.Description, c.Grant)
		c = c.Obtained(f.o.Clock.Now(), f.o.Clock.Of(asked), token, account, svc.Scopes, entered.Fields, entered.Ends)
		err = f.o.Store.Grants.UpdateConnection(ctx, c, was)
		if errors.Is(err, store.ErrStale) {
			continue
		}
		if err != nil {
			return nil, wrap("save the token set", err)
		}
		f.o.Granted(c)
		if err := f.o.Store.Authorizations.SpendGrantLink(ctx, c.ID, time.Now()); err != nil {
			f.o.Logger.Warn("expire authorization links failed", "connection", c.Name, "error", err)
		}
		f.o.Logger.Info("token set obtained", "connection", c.Name, "service", svc.Name, "grant", string(c.Grant), "generation", c.Generation)
		return &Finished{Connection: c, Service: svc}, nil
	}
	return nil, wrap("save the token set", store.ErrStale)
}
