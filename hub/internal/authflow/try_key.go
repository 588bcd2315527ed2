package authflow

import (
	"context"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/operation"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/sdk/provider"
)

// Key makes the token of a static key from what was entered, for a connection that is not
// stored yet, and asks whose it is. Nothing is spent or changed. Errors: *Failure,
// *store.DetachedError, of the store.
func (f *Flow) Key(ctx context.Context, svc service.Service, c connection.Connection, fields provider.Fields) (provider.Token, provider.Account, error) {
	if err := f.o.Store.Detached(ctx); err != nil {
		return provider.Token{}, provider.Account{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, f.o.MaxWait)
	defer cancel()
	now := time.Now()
	op := &operation.Op{ID: store.NewID(), Service: svc.At(now), Connection: c.ForProvider(), Now: now}
	token, err := f.ask(ctx, op, provider.GrantStatic, Entered{Fields: fields})
	if err != nil {
		cause := causeOf(err)
		return provider.Token{}, provider.Account{}, f.fail(&Failure{Service: &svc, Cause: cause, Reason: reasonOfObtaining(provider.GrantStatic, cause)})
	}
	account, err := f.identify(ctx, svc, op.Connection, *token, now)
	if err != nil {
		f.o.Logger.Warn("key taken, account unknown", "service", svc.Name, "error", causeOf(err).Message)
	}
	return *token, account, nil
}
