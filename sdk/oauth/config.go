package oauth

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"

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
	// PushedURL takes authorization requests before the browser is sent (RFC 9126). With
	// it they are sent there.
	PushedURL string
	// DeviceURL begins device authorizations (RFC 8628 section 3.1). With it the provider
	// is a provider.DeviceGrant.
	DeviceURL string
	// IntrospectURL reports whether a token is in force (RFC 7662). With it the provider is
	// a provider.Introspector.
	IntrospectURL string
	// Auth is the client authentication. AuthNone, AuthPost and AuthBasic go
	// over golang.org/x/oauth2, the others over Do. A service without a client
	// secret is a public client, AuthNone, unless a key of the hub authenticates it.
	Auth ClientAuth
	// Keys are the keys of the hub that requests use.
	Keys ClientKeys
	// Resources are what tokens are requested for (RFC 8707), in authorization and token
	// requests.
	Resources []string
	// Assertion are the claims of the JWT bearer grant (RFC 7523). With it the provider is
	// a provider.AssertionGrant.
	Assertion func(provider.Call) (provider.SignRequest, error)

	// AuthParams are added to the authorization request, for example
	// access_type=offline.
	AuthParams url.Values
	// ConsentParams are added, and replace AuthParams, when consent has to be requested
	// again, for example prompt=consent.
	ConsentParams url.Values
	// TokenParams are added to every token request, RefreshParams to those that renew, for
	// example audience or resource.
	TokenParams, RefreshParams url.Values
	// RefreshForm replaces the parameters of a renewal, for a service that prolongs or
	// exchanges the access token instead; nil is RFC 6749 section 6.
	RefreshForm url.Values
	// ClientCredentialsForm replaces grant_type and scope of the client credentials grant,
	// for a service with a grant of its own for applications; nil is RFC 6749 section 4.4.
	ClientCredentialsForm url.Values
	// Send is how token requests are sent; zero is POST with a form.
	Send Send
	// Userinfo is how UserinfoURL is asked; zero is GET with a bearer token (RFC 6750
	// section 2.1). Revocation is how RevokeURL is told; zero is RFC 7009.
	Userinfo, Revocation Send
	// Rename holds the service's own names of parameters that it calls otherwise, in all
	// requests: {"client_id": "client_key"}. Those of a callback keep theirs.
	Rename map[string]string
	// Decode describes the format of token replies. Its ScopeSeparator is the
	// description's if empty.
	Decode Decode
	// Account is where userinfo names the account.
	Account Account

	// Grants are operations that New cannot derive from the addresses:
	// provider.GrantClientCredentials always, others if their addresses come from Resolve.
	Grants []provider.Grant
	// Resolve returns the endpoints of a service, from its options or its data.
	// Nil: they are those above for every service.
	Resolve func(provider.Service) (Endpoints, error)
	// Prepare makes the provider a provider.ServicePreparer.
	Prepare func(context.Context, *provider.PrepareServiceRequest) (*provider.PreparedService, error)
}

// Send is how a request is sent where it differs from the standard.
type Send struct {
	// Method is "" for the standard's own, GET, POST, PUT or DELETE. GET and DELETE send the
	// parameters in the address.
	Method string
	// JSON sends the parameters as a JSON object instead of a form.
	JSON bool
	// Form replaces the standard's parameters, of userinfo and revocation alone; nil keeps
	// them. Of Userinfo it replaces the Authorization header as well.
	Form url.Values
	// Header is added to the request's own, for example a User-Agent that the service wants.
	Header http.Header
}

// standard reports whether nothing differs.
func (s Send) standard() bool {
	return s.Method == "" && !s.JSON && s.Form == nil && len(s.Header) == 0
}

// Endpoints are what Config.Resolve returns for one service. Fields mean what
// they mean in Config; one that is empty is the Config's own.
type Endpoints struct {
	AuthURL, TokenURL, RevokeURL, UserinfoURL string
	PushedURL, DeviceURL, IntrospectURL       string
	Auth                                      ClientAuth
	Keys                                      ClientKeys
	AuthParams                                url.Values
	Resources                                 []string
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
	if svc.ClientSecret == "" && auth.NeedsSecret() {
		auth = AuthNone // a public client, which can only name itself
	}
	return Endpoints{
		AuthURL: cmp.Or(e.AuthURL, c.AuthURL), TokenURL: cmp.Or(e.TokenURL, c.TokenURL),
		RevokeURL: cmp.Or(e.RevokeURL, c.RevokeURL), UserinfoURL: cmp.Or(e.UserinfoURL, c.UserinfoURL),
		PushedURL: cmp.Or(e.PushedURL, c.PushedURL), DeviceURL: cmp.Or(e.DeviceURL, c.DeviceURL), IntrospectURL: cmp.Or(e.IntrospectURL, c.IntrospectURL),
		Auth: auth, Keys: cmp.Or(e.Keys, c.Keys), AuthParams: merged(c.AuthParams, e.AuthParams),
		Resources: slices.Concat(c.Resources, e.Resources),
	}, nil
}
