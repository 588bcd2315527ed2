package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/sdk/provider"
)

// Provider is a provider on offer.
type Provider struct {
	Name             string          `json:"name"`
	Title            provider.Text   `json:"title"`
	Summary          provider.Text   `json:"summary"`
	DocumentationURL string          `json:"documentation_url,omitempty"`
	Grants           []string        `json:"grants"`
	AutoRenew        string          `json:"auto_renew" doc:"How the next token comes without a person"`
	Rotation         string          `json:"rotation,omitempty"`
	RenewWindow      string          `json:"renew_window,omitempty"`
	PKCE             string          `json:"pkce"`
	Lifetimes        Lifetimes       `json:"lifetimes"`
	Hosts            []string        `json:"hosts" doc:"Host patterns that the plugin may talk to"`
	Options          provider.Schema `json:"options" doc:"JSON Schema of a service's options"`
	// ConnectionOptions, Login and StaticKey are what is asked for each connection.
	ConnectionOptions *provider.Schema    `json:"connection_options,omitempty" doc:"JSON Schema of the options of each connection"`
	Login             *provider.Schema    `json:"login,omitempty" doc:"JSON Schema of the fields of the grant login"`
	StaticKey         *provider.StaticKey `json:"static_key,omitempty" doc:"What the key of the grant static is, who makes it and where"`
	Scopes            []string            `json:"scopes,omitempty"`
	SetupSteps        []provider.Text     `json:"setup_steps,omitempty"`
	Notices           []provider.Text     `json:"notices,omitempty" doc:"What is good to know"`
	// TestCalls are those that POST …/test-call makes.
	TestCalls []provider.TestCall `json:"test_calls,omitempty" doc:"Calls of the API that show the access work"`
}

// Lifetimes are in seconds; absent is unknown, -1 is for ever.
type Lifetimes struct {
	AccessToken       *int64 `json:"access_token,omitempty" doc:"Seconds; -1 is for ever"`
	RefreshToken      *int64 `json:"refresh_token,omitempty" doc:"Seconds; -1 is for ever"`
	RefreshTokenIdle  *int64 `json:"refresh_token_idle,omitempty" doc:"Seconds without use; -1 is for ever"`
	AuthorizationCode *int64 `json:"authorization_code,omitempty" doc:"Seconds"`
}

func lifetime(d time.Duration) *int64 {
	switch {
	case d == 0:
		return nil
	case d < 0:
		return new(int64(-1))
	}
	return new(int64(d / time.Second))
}

func providerView(d *provider.Description) Provider {
	v := Provider{
		Name: d.Name, Title: d.Title, Summary: d.Summary, DocumentationURL: d.DocumentationURL,
		AutoRenew: string(d.AutoRenew), Rotation: string(d.Rotation.Kind), RenewWindow: string(d.RenewWindow.Kind), PKCE: string(d.PKCE),
		Lifetimes: Lifetimes{
			AccessToken: lifetime(d.Lifetimes.AccessToken), RefreshToken: lifetime(d.Lifetimes.RefreshToken),
			RefreshTokenIdle: lifetime(d.Lifetimes.RefreshTokenIdle), AuthorizationCode: lifetime(d.Lifetimes.AuthorizationCode),
		},
		Options: d.Options, SetupSteps: d.SetupSteps, Notices: d.Notices, TestCalls: d.TestCalls,
	}
	if !d.ConnectionOptions.IsZero() {
		v.ConnectionOptions = &d.ConnectionOptions
	}
	if !d.Login.IsZero() {
		v.Login = &d.Login
	}
	if !d.StaticKey.Fields.IsZero() {
		v.StaticKey = &d.StaticKey
	}
	for _, g := range d.Grants {
		v.Grants = append(v.Grants, string(g))
	}
	for _, h := range d.Hosts {
		v.Hosts = append(v.Hosts, h.Pattern)
	}
	for _, s := range d.Scopes {
		v.Scopes = append(v.Scopes, s.Name)
	}
	return v
}

// About says which hub this is.
type About struct {
	Version   string `json:"version"`
	Database  string `json:"database" enum:"sqlite,postgres"`
	PublicURL string `json:"public_url"`
}

type listOf[T any] struct {
	Body struct {
		Items []T `json:"items"`
	}
}

func list[T any](items []T) *listOf[T] {
	out := &listOf[T]{}
	out.Body.Items = items
	if items == nil {
		out.Body.Items = []T{}
	}
	return out
}

type one[T any] struct {
	Body T
}

// NameInput is the name in the path.
type NameInput struct {
	Name string `path:"name"`
}

func (a *API) registerProviders() {
	huma.Register(a.huma, operation("list-providers", http.MethodGet, "/api/v1/providers", "List what can be connected", "Providers"),
		func(context.Context, *struct{}) (*listOf[Provider], error) {
			var items []Provider
			for _, d := range a.catalogue.Providers() {
				items = append(items, providerView(&d))
			}
			return list(items), nil
		})
	huma.Register(a.huma, operation("get-provider", http.MethodGet, "/api/v1/providers/{name}", "Describe a provider", "Providers", 404),
		func(_ context.Context, in *NameInput) (*one[Provider], error) {
			d, ok := a.catalogue.Provider(in.Name)
			if !ok {
				return nil, a.fail(store.ErrNotFound)
			}
			return &one[Provider]{providerView(&d)}, nil
		})
	huma.Register(a.huma, operation("about", http.MethodGet, "/api/v1/about", "Say which hub this is", "Hub"),
		func(context.Context, *struct{}) (*one[About], error) {
			return &one[About]{About{Version: a.version, Database: a.store.Dialect(), PublicURL: a.publicURL}}, nil
		})
}
