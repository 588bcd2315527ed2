package providerplugin_test

import (
	"context"
	"fmt"
	"net/http"

	"github.com/evergrant/evergrant/sdk/oauth"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// robots obtains tokens for the application itself, which proves itself by a key that the
// hub keeps and publishes.
var robots = oauth.New(oauth.Config{
	Description: provider.Description{
		Name: "robots", Title: provider.Text{EN: "Robots"}, Summary: provider.Text{EN: "Robots of Acme."},
		AutoRenew: provider.AutoRenewReissue, PKCE: provider.PKCENone,
		Hosts:      []provider.Host{{Pattern: "acme.example"}},
		SetupSteps: []provider.Text{{EN: "Create an application at acme.example."}},
		Keys: []provider.Key{{
			Name: oauth.DefaultSignatureKey, Use: provider.KeySignature, Title: provider.Text{EN: "Key of the client"}, Algorithms: []string{"ES256"},
			Steps: []provider.Text{{EN: "Enter {jwks_uri} as the application's JWKS address."}},
		}},
	},
	AuthURL:  "https://acme.example/authorize",
	TokenURL: "https://acme.example/token",
	Auth:     oauth.AuthPrivateKeyJWT,
	Grants:   []provider.Grant{provider.GrantClientCredentials},
})

// The whole main of a plugin.
func ExampleServe() {
	main := func() { providerplugin.Serve(robots) }
	_ = main // it is run by the hub; run by hand it prints an explanation and exits
}

// A plugin that does not work without a feature of the hub says so: a hub that lacks it
// refuses the plugin by that name when it is installed.
func ExampleServeWith() {
	main := func() {
		providerplugin.ServeWith(providerplugin.ServeConfig{
			Providers: []provider.Provider{robots},
			Limits:    providerplugin.Limits{Steps: 12},
		})
	}
	_ = main
}

// hub is the other side of a plugin: it sends the requests and signs.
type hub struct{}

func (hub) RoundTrip(_ context.Context, step int, req *providerplugin.HTTPRequest) (*providerplugin.HTTPResponse, error) {
	fmt.Println("step", step, req.Method, req.URL)
	return &providerplugin.HTTPResponse{
		Status: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
		Body: []byte(`{"access_token":"at","token_type":"Bearer","expires_in":600}`),
	}, nil
}

func (hub) Sign(_ context.Context, step int, req *providerplugin.SignRequest) (string, error) {
	fmt.Println("step", step, "sign by", req.Key)
	return "header.claims.signature", nil
}

// A provider is tried over real gRPC without a process of its own.
func ExampleInProcess() {
	client, stop, err := providerplugin.InProcess(robots)
	if err != nil {
		panic(err)
	}
	defer stop()
	token, err := client.ClientCredentials(context.Background(), hub{}, "robots", &provider.ClientCredentialsRequest{
		Call: provider.Call{Service: provider.Service{Name: "acme", ClientID: "our-client"}},
	})
	fmt.Println(*token.ExpiresIn, err)
	// Output:
	// step 0 sign by client-key
	// step 1 POST https://acme.example/token
	// 10m0s <nil>
}
