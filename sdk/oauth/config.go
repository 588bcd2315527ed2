package oauth

import (
	"cmp"
	"context"
	"net/url"

	"github.com/evergrant/evergrant/sdk/provider"
)

// Config is a provider for a service that follows the RFCs. Its author fills it
// in and hands it to New:
//
//	var Provider = oauth.New(oauth.Config{
//		Description: provider.Description{Name: "acme", …},
//		AuthURL:     "https://acme.example/authorize",
//		TokenURL:    "https://acme.example/token",
//	})
type Config struct {
	// Description of the provider. Grants are filled in, and so are AutoRenew
	// (refresh_token), PKCE (none) and ClientAuth if they are empty.
	Description provider.Description

	// AuthURL and TokenURL are the authorization and the token endpoint.
	AuthURL, TokenURL string
	// RevokeURL is the revocation endpoint (RFC 7009). With it the provider is a
	// provider.Revoker.
	RevokeURL string
	// UserinfoURL answers an access token with a JSON object about the account.
	// With it the provider is a provider.Identifier.
	UserinfoURL string
	// Auth is the client authentication. AuthNone, AuthPost and AuthBasic go
	// over golang.org/x/oauth2, the others over Do. A service without a client
	// secret is a public client: AuthNone.
	Auth ClientAuth

	// AuthParams are added to the authorization request, for example
	// access_type=offline.
	AuthParams url.Values
	// ConsentParams are added, and replace AuthParams, when consent has to be requested
	// again, for example prompt=consent.
	ConsentParams url.Values
	// TokenParams are added to every token request, RefreshParams to those that renew, for
	// example audience or resource.
	TokenParams, RefreshParams url.Values
	// Rename holds the service's own names of parameters that it calls otherwise, in all
	// requests: {"client_id": "client_key"}. Those of a callback keep theirs.
	Rename map[string]string
	// Decode describes the format of token replies. Its ScopeSeparator is the
	// description's if empty.
	Decode Decode
	// Account is where userinfo names the account.
	Account Account

	// Grants are operations beyond authorization code and refresh that New cannot derive:
	// provider.GrantClientCredentials always, GrantRevoke and GrantIdentify if their
	// addresses come from Resolve.
	Grants []provider.Grant
	// Resolve returns the endpoints of a service, from its options or its data.
	// Nil: they are those above for every service.
	Resolve func(provider.Service) (Endpoints, error)
	// Prepare makes the provider a provider.ServicePreparer.
	Prepare func(context.Context, *provider.PrepareServiceRequest) (*provider.PreparedService, error)
}

// Endpoints are what Config.Resolve returns for one service. Fields mean what
// they mean in Config; one that is empty is the Config's own.
type Endpoints struct {
	AuthURL, TokenURL, RevokeURL, UserinfoURL string
	Auth                                      ClientAuth
	AuthParams                                url.Values
}

// Account is where userinfo names the account. The first field that exists and is not
// empty counts; a field inside an object is written "user.id".
type Account struct {
	// ID fields; "sub" if empty.
	ID []string
	// Name fields; "email", "preferred_username" and "name" if empty.
	Name []string
}

// New returns the provider that c describes. It serves each grant exactly if c configures
// it: provider.GrantsOf tells which.
func New(c Config) provider.Provider { return core{c: c} }

// endpoints are those of a service.
func (c *Config) endpoints(svc provider.Service) (Endpoints, error) {
	var e Endpoints
	if c.Resolve != nil {
		var err error
		if e, err = c.Resolve(svc); err != nil {
			return e, err
		}
	}
	auth := cmp.Or(e.Auth, c.Auth)
	if svc.ClientSecret == "" {
		auth = AuthNone // a public client, which can only name itself
	}
	return Endpoints{
		AuthURL: cmp.Or(e.AuthURL, c.AuthURL), TokenURL: cmp.Or(e.TokenURL, c.TokenURL),
		RevokeURL: cmp.Or(e.RevokeURL, c.RevokeURL), UserinfoURL: cmp.Or(e.UserinfoURL, c.UserinfoURL),
		Auth: auth, AuthParams: merged(c.AuthParams, e.AuthParams),
	}, nil
}
