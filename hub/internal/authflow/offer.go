package authflow

import (
	"context"
	"errors"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/authdb"
)

// offerLife is how long an authorization is kept aside.
const offerLife = 15 * time.Minute

// ErrNoOffer reports that a connection has no offer.
var ErrNoOffer error = refusalError("no authorization of this connection is kept aside any more; start again")

// offer keeps a grant that would replace a better one, and reports it: its code is spent,
// and a person may decide to use it.
func (f *Flow) offer(ctx context.Context, svc service.Service, c connection.Connection, g got, redirectURI string, failure *Failure, reason Reason) error {
	now := time.Now()
	failure.Reason = reason
	err := f.o.Store.Authorizations.PutOffer(ctx, authdb.Offer{
		ConnectionID: c.ID, Generation: c.Generation, Reason: string(reason), Token: g.token, Asked: g.asked, Account: g.account, Scopes: svc.Scopes,
		RedirectURI: redirectURI, KeyIDs: g.keyIDs,
		CreatedAt: now, ExpiresAt: now.Add(offerLife),
	})
	if err != nil {
		return wrap("keep the authorization aside", err)
	}
	return f.fail(failure)
}

// TakeOffer replaces a connection's grant by its offer, on a person's decision. Errors:
// ErrNoOffer, of the store.
func (f *Flow) TakeOffer(ctx context.Context, connectionID string) (connection.Connection, error) {
	o, err := f.o.Store.Authorizations.TakeOffer(ctx, connectionID, time.Now())
	if errors.Is(err, store.ErrNotFound) {
		return connection.Connection{}, ErrNoOffer
	}
	if err != nil {
		return connection.Connection{}, err
	}
	for range 5 {
		c, err := f.o.Store.Grants.Connection(ctx, connectionID)
		if err != nil {
			return c, err
		}
		if o.Account.ID == "" { // taking the offer confirms that it is the same account
			o.Account = c.Account
		}
		taken := c.Granted(f.o.Clock.Now(), f.o.Clock.Of(o.Asked), o.Token, o.Account, o.Scopes).Bound(o.KeyIDs)
		taken.Tokens.RedirectURI = o.RedirectURI
		if err = f.o.Store.Grants.UpdateConnection(ctx, taken, c); errors.Is(err, store.ErrStale) {
			continue
		}
		if err == nil {
			f.o.Store.AfterCommit(ctx, func() { f.o.Granted(taken) })
			f.o.Logger.Info("pending authorization accepted", "connection", c.Name, "generation", taken.Generation)
		}
		return taken, err
	}
	return connection.Connection{}, store.ErrStale
}

// DropOffer discards a connection's offer. Errors: ErrNoOffer, of the store.
func (f *Flow) DropOffer(ctx context.Context, connectionID string) error {
	_, err := f.o.Store.Authorizations.TakeOffer(ctx, connectionID, time.Now())
	if errors.Is(err, store.ErrNotFound) {
		return ErrNoOffer
	}
	return err
}
