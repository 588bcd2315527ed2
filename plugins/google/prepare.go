package main

import (
	"context"
	"slices"
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
)

// testingLife is the lifetime of a grant to an app in testing.
const testingLife = 7 * 24 * time.Hour

// prepare fits the description to a service. It makes no request.
func prepare(_ context.Context, req *provider.PrepareServiceRequest) (*provider.PreparedService, error) {
	d := description
	base, err := gateway(req.Service)
	if err != nil {
		return nil, err
	}
	if base != "" {
		d.Hosts = []provider.Host{{Pattern: provider.OptionHost(optionBase), ClientSecret: true}}
		d.API.BaseURL = base + "/calendar/v3"
		d.TestCalls = testCalls(d.API.BaseURL)
		d.Issuer = "" // what a gateway sends as iss is not known
	}
	if req.Service.Option(optionPublishing) == inTesting {
		d.Lifetimes.RefreshToken = testingLife
	}
	if req.Service.Bool(optionDPoP) {
		d.Keys = []provider.Key{{
			Name: dpopKey, Use: provider.KeyDPoP, Algorithms: []string{"ES256"}, Origin: provider.KeyFromHub,
			Title: provider.Text{EN: "Key that refresh tokens are bound to (DPoP)", RU: "Ключ, к которому привязаны refresh-токены (DPoP)"},
		}}
	}
	d.Grants = provider.GrantsOf(newProvider())
	if !identifies(asked(req.Service)) {
		d.Grants = slices.DeleteFunc(d.Grants, func(g provider.Grant) bool { return g == provider.GrantIdentify })
	}
	return &provider.PreparedService{Description: &d}, nil
}
