// Package apptest is a hub without pages and API, for the tests of the application layer:
// the real catalogue, authorizations and token source over a store, a plugin in a process
// of its own, and a service that answers as the test sets it.
package apptest

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// providerName is the provider of the plugin. Telling is another one of it, of a service
// that also says whether a refresh token is in force.
const (
	providerName = "play"
	Telling      = "telling"
)

// Main runs the tests of a package; the test binary is the plugin as well.
func Main(m *testing.M) {
	if strings.HasPrefix(filepath.Base(os.Args[0]), "evergrant-provider-") {
		providerplugin.Serve(play{}, telling{})
		return
	}
	os.Exit(m.Run())
}

// play is a provider whose service is the one of the option server.
type play struct{}

// Describe implements provider.Provider.
func (play) Describe(context.Context) (*provider.Description, error) {
	return &provider.Description{
		Name: providerName, Title: provider.Text{EN: "Play"}, AutoRenew: provider.AutoRenewRefreshToken, PKCE: provider.PKCENone,
		API: provider.API{In: "header"}, Rotation: provider.Rotation{Kind: provider.RotationNone}, Hosts: []provider.Host{{Pattern: provider.OptionHost("server"), ClientSecret: true}},
		Options:   provider.Schema{Options: []provider.Option{{Name: "server", Format: "uri", Title: provider.Text{EN: "Server"}, Required: true}}},
		TestCalls: []provider.TestCall{{Name: "me", Title: provider.Text{EN: "Me"}, URL: "{option:server}/me"}},
	}, nil
}

// PrepareService implements provider.ServicePreparer.
func (play) PrepareService(ctx context.Context, req *provider.PrepareServiceRequest) (*provider.PreparedService, error) {
	return &provider.PreparedService{}, ask(ctx, req.HTTP, req.Service, "/prepare", nil, nil)
}

// AuthCodeURL implements provider.AuthorizationCodeGrant.
func (play) AuthCodeURL(_ context.Context, req *provider.AuthCodeURLRequest) (*provider.AuthCodeURL, error) {
	return &provider.AuthCodeURL{URL: req.Service.Option("server") + "/authorize?" + url.Values{"state": {req.State}}.Encode()}, nil
}

// Exchange implements provider.AuthorizationCodeGrant.
func (play) Exchange(ctx context.Context, req *provider.ExchangeRequest) (*provider.Token, error) {
	return tokenOf(ctx, req.HTTP, req.Service, url.Values{"code": {req.Code}})
}

// Refresh implements provider.Refresher.
func (play) Refresh(ctx context.Context, req *provider.RefreshRequest) (*provider.Token, error) {
	return tokenOf(ctx, req.HTTP, req.Service, url.Values{"refresh_token": {req.Current.RefreshToken}})
}

// Revoke implements provider.Revoker.
func (play) Revoke(ctx context.Context, req *provider.RevokeRequest) error {
	return ask(ctx, req.HTTP, req.Service, "/revoke", nil, nil)
}

// Identify implements provider.Identifier.
func (play) Identify(ctx context.Context, req *provider.IdentifyRequest) (*provider.Account, error) {
	var who provider.Account
	return &who, ask(ctx, req.HTTP, req.Service, "/me", nil, &who)
}

// telling is play with token introspection.
type telling struct{ play }

// Describe implements provider.Provider.
func (t telling) Describe(ctx context.Context) (*provider.Description, error) {
	d, err := t.play.Describe(ctx)
	d.Name = Telling
	return d, err
}

// Introspect implements provider.Introspector.
func (telling) Introspect(ctx context.Context, req *provider.IntrospectRequest) (*provider.Introspection, error) {
	var reply struct {
		Active bool `json:"active"`
	}
	if err := ask(ctx, req.HTTP, req.Service, "/introspect", url.Values{"token": {req.Current.RefreshToken}}, &reply); err != nil {
		return nil, err
	}
	if !reply.Active {
		return &provider.Introspection{RefreshToken: provider.Inactive}, nil
	}
	return &provider.Introspection{RefreshToken: provider.Active}, nil
}

func tokenOf(ctx context.Context, client *http.Client, s provider.Service, form url.Values) (*provider.Token, error) {
	var reply struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
	}
	if err := ask(ctx, client, s, "/token", form, &reply); err != nil {
		return nil, err
	}
	return &provider.Token{AccessToken: reply.Access, RefreshToken: reply.Refresh, ExpiresIn: provider.Seconds(3600)}, nil
}

// ask sends a request to the service. 400 is its refusal, 410 ends the grant, anything else
// but 200 passes.
func ask(ctx context.Context, client *http.Client, s provider.Service, path string, form url.Values, reply any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Option("server")+path, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := client.Do(req)
	if err != nil {
		return provider.Errorf(provider.Transient, "", "%w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	switch {
	case resp.StatusCode == http.StatusBadRequest:
		return provider.Errorf(provider.Blocked, "invalid_client", "the service says no")
	case resp.StatusCode == http.StatusGone:
		return provider.Errorf(provider.ReauthorizationRequired, "invalid_grant", "the grant is over")
	case resp.StatusCode != http.StatusOK:
		return provider.Errorf(provider.Transient, "", "the service answers %d", resp.StatusCode)
	case reply == nil:
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(reply)
}
