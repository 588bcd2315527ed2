// Command evergrant-provider-chaos is the plugin that hub/test/chaos renews through:
// one provider for each kind of rotation, at the authorization server that the
// service's option names. It is shipped to nobody.
package main

import (
	"strings"
	"time"

	"github.com/evergrant/evergrant/sdk/oauth"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// grace is what the server of hub/test/chaos allows at least.
const grace = 20 * time.Second

func main() {
	providerplugin.Serve(
		rotating(provider.Rotation{Kind: provider.RotationNone, RepeatSafe: true}),
		rotating(provider.Rotation{Kind: provider.RotationRotates}),
		rotating(provider.Rotation{Kind: provider.RotationRotatesRevokesAccess}),
		rotating(provider.Rotation{Kind: provider.RotationRotatesWithGrace, Grace: grace}),
	)
}

// rotating is a standard provider whose service rotates in a way.
func rotating(r provider.Rotation) provider.Provider {
	return oauth.New(oauth.Config{
		Description: provider.Description{
			Name:  "chaos-" + strings.ReplaceAll(string(r.Kind), "_", "-"),
			Title: provider.Text{EN: "Chaos: " + string(r.Kind)},
			Hosts: []provider.Host{{Pattern: provider.OptionHost("server"), ClientSecret: true}},
			Options: provider.Schema{Options: []provider.Option{
				{Name: "server", Format: "uri", Required: true, Title: provider.Text{EN: "Authorization server"}},
			}},
			Rotation: r,
		},
		Auth: oauth.AuthPost,
		Resolve: func(svc provider.Service) (oauth.Endpoints, error) {
			base := svc.Option("server") + "/" + string(r.Kind)
			return oauth.Endpoints{AuthURL: base + "/authorize", TokenURL: base + "/token"}, nil
		},
	})
}
