package authflow

import (
	"context"
	"errors"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/authdb"
)

// offerLife is how long an authorization is kept aside.
const offerLife = 15 * time.Minute

// ErrNoOffer reports that a connection has no offer.
var ErrNoOffer error = refusalError("no authorization of this connection is kept aside any more; start again")

// offer keeps a grant aside that is not used at once, with those of its parts, and reports
// why: its code is spent, and a person may decide to use it.
func (f *Flow) offer(ctx context.Context, svc service.Service, c connection.Connection, g got, redirectURI string, failure *Failure) error {
	now := time.Now()
	err := f.o.Store.Authorizations.PutOffer(ctx, authdb.Offer{
		ConnectionID: c.ID, Generation: c.Generation, Reason: string(failure.Reason), Part: failure.Part, Token: g.token, Asked: g.asked, Account: g.account, Scopes: svc.Scopes,
		RedirectURI: redirectURI, KeyIDs: g.keyIDs,
		CreatedAt: now, ExpiresAt: now.Add(offerLife),
	})
	if err != nil {
		return wrap("keep the authorization aside", err)
	}
	return f.fail(failure)
}

// TakeOffer replaces a connection's grant, and those of its parts, by its offer, on a
// person's decision. Errors: ErrNoOffer, of the store.
func (f *Flow) TakeOffer(ctx context.Context, connectionID string) (connection.Connection, error) {
	o, err := f.o.Store.Authorizations.TakeOffer(ctx, connectionID, time.Now())
	if errors.Is(err, store.ErrNotFound) {
		return connection.Connection{}, ErrNoOffer
	}
	if err != nil {
		return connection.Connection{}, err
	}
	g := got{asked: o.Asked, token: o.Token, account: o.Account, keyIDs: o.KeyIDs, lang: i18n.Lang(ctx)}
	for range 5 {
		c, svc, err := f.withService(ctx, connectionID)
		if err != nil {
			return c, err
		}
		granted, err := f.grantsOf(ctx, svc, c, g)
		if err != nil {
			return c, err
		}
		granted.confirm()
		granted.give(f.o.Clock.Now(), f.o.Clock.Of(o.Asked), o.KeyIDs, o.RedirectURI, o.Scopes)
		if err = f.write(ctx, granted, nil); errors.Is(err, store.ErrStale) {
			continue
		}
		if err == nil {
			f.told(ctx, "pending authorization accepted", svc, granted, g)
		}
		return granted.all[0].now, err
	}
	return connection.Connection{}, store.ErrStale
}

// confirm takes accounts that the service did not name for those that are known: who takes
// an offer confirms that they are the same.
func (g grants) confirm() {
	for _, x := range g.all {
		if x.account.ID == "" {
			x.account = x.was.Account
		}
	}
}

// withService reads a connection with its service.
func (f *Flow) withService(ctx context.Context, connectionID string) (c connection.Connection, svc service.Service, err error) {
	if c, err = f.o.Store.Grants.Connection(ctx, connectionID); err == nil {
		svc, err = f.o.Store.Services.Service(ctx, c.ServiceID)
	}
	return c, svc, err
}

// DropOffer discards a connection's offer. Errors: ErrNoOffer, of the store.
func (f *Flow) DropOffer(ctx context.Context, connectionID string) error {
	_, err := f.o.Store.Authorizations.TakeOffer(ctx, connectionID, time.Now())
	if errors.Is(err, store.ErrNotFound) {
		return ErrNoOffer
	}
	return err
}
