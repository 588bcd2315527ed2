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
	account, err := f.identify(ctx, svc, provider.Connection{}, token, asked)
	if err != nil {
		f.o.Logger.Debug("one-time handover, account unknown", "service", svc.Name)
	}
	now := time.Now()
	c := connection.New(now, "", "", svc.Title, svc.ID, connection.PolicyOf(svc.Description, provider.GrantAuthorizationCode))
	c = c.Granted(now, asked, token, account, svc.Scopes)
	f.o.Logger.Info("one-time handover authorized", "service", svc.Name)
	return &Finished{Once: true, Connection: c, Parts: partsOnce(now, asked, svc, c, token, a.Lang), Service: svc, ReturnTo: a.ReturnTo, Lang: a.Lang}
}

// partsOnce are the grants of the parts of a grant that is not stored. Parts that the
// provider does not declare are handed over too.
func partsOnce(now, asked time.Time, svc service.Service, main connection.Connection, token provider.Token, lang string) (parts []connection.Connection) {
	for _, p := range token.Parts {
		part := provider.Part{Name: p.Part, Title: provider.Text{EN: p.Part}}
		for _, declared := range svc.Description.Parts {
			if declared.Name == p.Part {
				part = declared
			}
		}
		parts = append(parts, main.NewPart(now, "", "", part, lang).Granted(now, asked, p.Token, p.Account, nil))
	}
	return parts
}
