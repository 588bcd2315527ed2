package oauth_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/evergrant/evergrant/sdk/oauth"
	"github.com/evergrant/evergrant/sdk/provider"
)

// A whole provider of a service that follows the RFCs. Its main is
// providerplugin.Serve(acme).
var acme = oauth.New(oauth.Config{
	Description: provider.Description{
		Name:    "acme",
		Title:   provider.Text{EN: "Acme", RU: "Акме"},
		Summary: provider.Text{EN: "Parcels of Acme.", RU: "Посылки Акме."},
		SetupSteps: []provider.Text{
			{
				EN: "Create an application at acme.example with the redirect URI {redirect_uri}.",
				RU: "Создайте приложение на acme.example с адресом возврата {redirect_uri}.",
			},
		},
		Rotation: provider.Rotation{Kind: provider.RotationRotates},
		PKCE:     provider.PKCES256,
		Hosts:    []provider.Host{{Pattern: "acme.example", ClientSecret: true}},
		Scopes:   []provider.Scope{{Name: "parcels", Title: provider.Text{EN: "Parcels", RU: "Посылки"}, Default: true}},
		API:      provider.API{BaseURL: "https://acme.example/api", In: "header", Name: "Authorization", Prefix: "Bearer "},
	},
	AuthURL:     "https://acme.example/oauth/authorize",
	TokenURL:    "https://acme.example/oauth/token",
	RevokeURL:   "https://acme.example/oauth/revoke",
	UserinfoURL: "https://acme.example/oauth/userinfo",
	Auth:        oauth.AuthBasic,
})

func ExampleNew() {
	fmt.Println(provider.GrantsOf(acme))
	// Output: [authorization_code refresh revoke identify]
}

// discovery is a provider whose endpoints differ from service to service.
type discovery struct{}

func (discovery) prepare(context.Context, *provider.PrepareServiceRequest) (*provider.PreparedService, error) {
	data, err := json.Marshal(oauth.Endpoints{TokenURL: "https://eu.acme.example/token"})
	return &provider.PreparedService{Data: data}, err
}

func (discovery) resolve(svc provider.Service) (e oauth.Endpoints, err error) {
	err = json.Unmarshal(svc.Data, &e)
	return e, err
}

func ExampleConfig_resolve() {
	d := discovery{}
	p := oauth.New(oauth.Config{Prepare: d.prepare, Resolve: d.resolve, AuthURL: "https://acme.example/authorize"})
	prepared, _ := p.(provider.ServicePreparer).PrepareService(context.Background(), &provider.PrepareServiceRequest{})
	var found oauth.Endpoints
	_ = json.Unmarshal(prepared.Data, &found)
	fmt.Println(found.TokenURL)
	// Output: https://eu.acme.example/token
}

// own is a standard provider with one method of its own: its service wants the
// token in another header when it is asked for the account.
type own struct{ standardMethods }

// standardMethods are what New has made; Revoker and others only if the config
// asks for them.
type standardMethods interface {
	provider.Provider
	provider.AuthorizationCodeGrant
	provider.Refresher
	provider.Identifier
}

// Identify hands the standard method a client that changes the request.
func (o own) Identify(ctx context.Context, req *provider.IdentifyRequest) (*provider.Account, error) {
	other := *req
	client := *req.HTTP
	client.Transport = asked{client.Transport}
	other.HTTP = &client
	return o.standardMethods.Identify(ctx, &other)
}

type asked struct{ through http.RoundTripper }

func (a asked) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Header.Set("X-Acme-Token", req.Header.Get("Authorization")[len("Bearer "):])
	req.Header.Del("Authorization")
	return a.through.RoundTrip(req)
}

func ExampleNew_ownMethod() {
	p := own{acme.(standardMethods)} // serve it by providerplugin.Serve(p)
	fmt.Println(provider.GrantsOf(p))
	// Output: [authorization_code refresh identify]
}
