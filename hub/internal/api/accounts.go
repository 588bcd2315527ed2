package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/evergrant/evergrant/hub/internal/app/connections"
)

// AllowedAccounts are the accounts that may authorize a connection.
type AllowedAccounts struct {
	Accounts []string `json:"accounts" doc:"IDs, names as the service shows them, or domains such as @example.org; none is any account" maxItems:"50"`
}

func (a *API) registerAccounts() {
	set := operation("set-allowed-accounts", http.MethodPut, "/api/v1/connections/{name}/allowed-accounts", "State which accounts may authorize a connection", "Connections", 404, 422)
	set.Description = "An authorization by another account is refused. What is authorized already stays."
	huma.Register(a.huma, set, func(ctx context.Context, in *struct {
		NameInput
		Body AllowedAccounts
	}) (*one[AllowedAccounts], error) {
		c, err := a.conns.SetAllowedAccounts(ctx, connections.Named(in.Name), in.Body.Accounts)
		if err != nil {
			return nil, a.fail(err)
		}
		return a.accountsOf(ctx, c.ID)
	})
	read := operation("allowed-accounts", http.MethodGet, "/api/v1/connections/{name}/allowed-accounts", "Read which accounts may authorize a connection", "Connections", 404)
	huma.Register(a.huma, read, func(ctx context.Context, in *NameInput) (*one[AllowedAccounts], error) {
		c, _, err := a.conns.Find(ctx, connections.Named(in.Name))
		if err != nil {
			return nil, a.fail(err)
		}
		return a.accountsOf(ctx, c.ID)
	})
}

func (a *API) accountsOf(ctx context.Context, id string) (*one[AllowedAccounts], error) {
	details, err := a.conns.Details(ctx, id)
	if err != nil {
		return nil, a.fail(err)
	}
	return &one[AllowedAccounts]{AllowedAccounts{Accounts: append([]string{}, details.Accounts...)}}, nil
}
