// Command plugin is a plugin of a service that follows the RFCs, for the tests
// of package providertest.
package main

import (
	"github.com/evergrant/evergrant/sdk/oauth"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

func main() {
	providerplugin.Serve(oauth.New(oauth.Config{
		Description: provider.Description{
			Name: "acme", Title: provider.Text{EN: "Acme"},
			Hosts: []provider.Host{{Pattern: "acme.example", ClientSecret: true}},
		},
		AuthURL: "https://acme.example/authorize", TokenURL: "https://acme.example/token",
	}))
}
