// Command asking serves a provider that asks for more requests in one operation than the
// contract's own limit, and for fewer than a hub grants. It is for tests alone.
package main

import (
	"context"

	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

type asking struct{}

func (asking) Describe(context.Context) (*provider.Description, error) {
	return &provider.Description{
		Name: "asking", Title: provider.Text{EN: "Asks for more"}, AutoRenew: provider.AutoRenewNone, PKCE: provider.PKCENone,
		Hosts: []provider.Host{{Pattern: "service.example"}},
	}, nil
}

func main() {
	providerplugin.ServeWith(providerplugin.ServeConfig{Providers: []provider.Provider{asking{}}, Limits: providerplugin.Limits{Steps: 16}})
}
