package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/evergrant/evergrant/hub/internal/app/connections"
	"github.com/evergrant/evergrant/hub/internal/catalogue"
)

// Revocation says what became of a grant at its service when it was given up here.
type Revocation struct {
	Supported bool `json:"supported" doc:"Whether the service has a way to be told; if not, withdraw the access in the account there"`
	Told      bool `json:"told" doc:"Whether the service was told, so that the grant is over there"`
	// RetryUntil is present if it is tried again.
	RetryUntil *time.Time `json:"retry_until,omitempty" doc:"The service could not be told yet; it is tried again until then"`
	Error      string     `json:"error,omitempty" doc:"Why it could not be told yet"`
}

func revocationOf(r catalogue.Revoked) *Revocation {
	v := &Revocation{Supported: r.Supported, Told: r.Sent && r.Err == nil, RetryUntil: orAbsent(r.Until)}
	if r.Err != nil {
		v.Error = r.Err.Error()
	}
	return v
}

func (a *API) registerRevoke() {
	huma.Register(a.huma, operation("revoke-connection", http.MethodPost, "/api/v1/connections/{name}/revoke",
		"Give the grant back; the answer says whether the service was told", "Connections", 404),
		func(ctx context.Context, in *NameInput) (*one[Connection], error) {
			before, revoked, err := a.conns.Revoke(ctx, connections.Named(in.Name))
			if err != nil {
				return nil, a.fail(err)
			}
			c, err := a.store.Grants.Connection(ctx, before.ID)
			if err != nil {
				return nil, a.fail(err)
			}
			shown, err := a.view(ctx, c)
			if err == nil {
				shown.Body.Changed, shown.Body.Revocation = new(before.State != c.State), revocationOf(revoked)
			}
			return shown, err
		})
}

// registerRenew registers a renewal on request: it is sent, or the answer is the reason why
// it was not.
func (a *API) registerRenew() {
	renew := operation("renew-connection", http.MethodPost, "/api/v1/connections/{name}/renew", "Renew now", "Connections", 404, 409, 502, 503)
	renew.Description = "The request goes out now, whatever waiting time runs; changed and last_error say what came of it. 409, 502 and 503: nothing was sent, and detail says why."
	huma.Register(a.huma, renew, func(ctx context.Context, in *NameInput) (*one[Connection], error) {
		before, c, err := a.conns.Renew(ctx, connections.Named(in.Name))
		if err != nil {
			return nil, a.fail(err)
		}
		shown, err := a.view(ctx, c)
		if err == nil {
			shown.Body.Changed = new(c.Generation > before.Generation)
		}
		return shown, err
	})
}
