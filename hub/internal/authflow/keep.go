package authflow

import (
	"context"
	"errors"
	"time"

	"github.com/evergrant/evergrant/hub/internal/crashpoint"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/authdb"
	"github.com/evergrant/evergrant/sdk/provider"
)

// got is what an exchange has brought: asked is when its request was about to be sent, and
// keyIDs are the versions of keys that the token sets are bound to.
type got struct {
	asked   time.Time
	token   provider.Token
	account provider.Account
	keyIDs  map[string]string
	// unknown are the reasons why the service did not say whose a token set is, by part;
	// "" is the authorization's own.
	unknown map[string]error
	// lang is the language of the person, in which new parts get their titles.
	lang string
	// saved is part of the transaction that saves the grant; nil is nothing.
	saved func(ctx context.Context) error
}

// keep identifies the accounts of what an exchange has brought, and saves the grants.
func (f *Flow) keep(ctx context.Context, svc service.Service, a *authdb.Authorization, about provider.Connection, g got, failure *Failure) (*Finished, error) {
	crashpoint.At(crashpoint.Exchanged)
	if err := checkParts(svc, g.token); err != nil {
		failure.Cause, failure.Reason = causeOf(err), ReasonInternal
		return nil, f.fail(failure)
	}
	finished, err := f.save(ctx, svc, a, f.identified(ctx, svc, about, g), failure)
	if err == nil {
		if err := f.o.Store.Authorizations.SpendGrantLink(ctx, finished.Connection.ID, time.Now()); err != nil {
			f.o.Logger.Warn("expire authorization links failed", "connection", finished.Connection.Name, "error", err)
		}
	}
	return finished, err
}

// identified is what was got with the accounts that the service names.
func (f *Flow) identified(ctx context.Context, svc service.Service, about provider.Connection, g got) got {
	g.unknown = map[string]error{}
	var err error
	if g.account, err = f.identify(ctx, svc, about, g.token, g.asked); err != nil {
		g.unknown[""] = err
	}
	parts := make([]provider.PartToken, 0, len(g.token.Parts))
	for _, p := range g.token.Parts {
		if p.Account.ID == "" {
			about.Part = p.Part
			if p.Account, err = f.identify(ctx, svc, about, p.Token, g.asked); err != nil {
				g.unknown[p.Part] = err
			}
		}
		parts = append(parts, p)
	}
	g.token.Parts = parts
	return g
}

// save writes the grant with those of its parts. Renewals may move the generations
// meanwhile, so the compare-and-set is tried on the rows as they are: a person's new grant
// wins.
func (f *Flow) save(ctx context.Context, svc service.Service, a *authdb.Authorization, g got, failure *Failure) (*Finished, error) {
	for range 5 {
		c, err := f.o.Store.Grants.Connection(ctx, a.ConnectionID)
		if err != nil {
			return nil, wrap("read the connection", err)
		}
		granted, err := f.grantsOf(ctx, svc, c, g)
		if err != nil {
			return nil, err
		}
		if err := f.admit(ctx, svc, granted, g, a.RedirectURI, failure); err != nil {
			return nil, err
		}
		granted.give(f.o.Clock.Now(), f.o.Clock.Of(g.asked), g.keyIDs, a.RedirectURI, svc.Scopes)
		err = f.write(ctx, granted, g.saved)
		if errors.Is(err, store.ErrStale) {
			continue
		}
		if err != nil {
			return nil, wrap("save the grant", err)
		}
		crashpoint.At(crashpoint.Granted)
		f.told(ctx, "authorized", svc, granted, g)
		finished := granted.finished()
		finished.Service, finished.ReturnTo, finished.Lang = svc, a.ReturnTo, a.Lang
		return finished, nil
	}
	return nil, wrap("save the grant", store.ErrStale)
}

// admit checks whether the accounts may authorize their connections, and whether no grant
// replaces a better one. One that may not refuses the whole, before anything is kept aside:
// what is kept aside may be used later.
func (f *Flow) admit(ctx context.Context, svc service.Service, granted grants, g got, redirectURI string, failure *Failure) error {
	var aside *Failure
	for _, x := range granted.all {
		problem, err := f.judge(ctx, svc, x, failure)
		switch {
		case err != nil:
			return err
		case problem == nil:
		case !problem.Reason.Aside():
			return f.fail(problem)
		case aside == nil:
			aside = problem
		}
	}
	if aside == nil {
		return nil
	}
	return f.offer(ctx, svc, granted.all[0].was, g, redirectURI, aside)
}

// judge is why a grant is not saved; nil if it may be.
func (f *Flow) judge(ctx context.Context, svc service.Service, x *grant, so *Failure) (*Failure, error) {
	problem := *so
	problem.Part, problem.Got, problem.Wanted = x.part.Title, x.account, x.was.Account
	known := x.was.Account.ID
	switch {
	case x.unknown != nil && known != "":
		problem.Reason, problem.Cause = ReasonAccountUnproven, causeOf(x.unknown)
		return &problem, nil
	case known != "" && x.account.ID != "" && known != x.account.ID:
		problem.Reason = ReasonOtherAccount
		return &problem, nil
	}
	wanted, err := f.disallowed(ctx, x.was.ID, x.account)
	switch {
	case err != nil:
		return nil, err
	case wanted.Name != "":
		problem.Reason, problem.Wanted = refusalOf(x.account), wanted
		return &problem, nil
	case x.was.WouldLoseRenewal(x.token, x.account, x.requested(svc.Scopes)):
		problem.Reason = ReasonWouldLoseRenewal
		problem.Wanted, problem.Got = so.Wanted, so.Got
		return &problem, nil
	}
	return nil, nil //nolint:nilnil // nothing prevents it
}

// told logs what was saved, and has the scheduler and the second copies know it once it is
// committed.
func (f *Flow) told(ctx context.Context, what string, svc service.Service, granted grants, g got) {
	for _, x := range granted.all {
		if err := g.unknown[x.part.Name]; err != nil {
			// A first grant is worth more than the name of its account: its code is spent.
			f.o.Logger.Warn(what+", account unknown", "connection", x.now.Name, "error", causeOf(err).Message)
		}
		f.o.Logger.Info(what, "connection", x.now.Name, "service", svc.Name, "generation", x.now.Generation)
		if !x.trashed {
			f.o.Store.AfterCommit(ctx, func() { f.o.Granted(x.now) })
		}
	}
	for _, c := range granted.missing {
		f.o.Logger.Warn("authorization brought no token set of a part, its connection stays as it is", "connection", c.Name, "part", c.Part)
	}
}
