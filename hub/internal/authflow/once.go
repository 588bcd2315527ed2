package authflow

import (
	"context"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store/authdb"
	"github.com/evergrant/evergrant/sdk/provider"
)

// once returns a grant in the form of a connection that is not stored: the returned value
// is the only copy.
func (f *Flow) once(ctx context.Context, svc service.Service, a *authdb.Authorization, asked time.Time, token provider.Token) *Finished {
	account, err := f.identify(ctx, svc, token, asked)
	if err != nil {
		f.o.Logger.Debug("one-time handover, account unknown", "service", svc.Name)
	}
	now := time.Now()
	c := connection.New(now, "", "", svc.Title, svc.ID, connection.PolicyOf(svc.Description, provider.GrantAuthorizationCode))
	c = c.Granted(now, asked, token, account, svc.Scopes)
	f.o.Logger.Info("one-time handover authorized", "service", svc.Name)
	return &Finished{Once: true, Connection: c, Service: svc, ReturnTo: a.ReturnTo, Lang: a.Lang}
}
