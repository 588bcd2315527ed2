package main

import (
	"maps"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
	"github.com/evergrant/evergrant/sdk/providertest"
)

// byHand are the endpoints of a service without discovery.
var byHand = map[string]any{
	optionAuthorization: "https://login.example.com/authorize",
	optionToken:         "https://login.example.com/token",
	optionRevocation:    "https://login.example.com/revoke",
	optionUserinfo:      "https://api.example.com/me",
}

// metadata is what an issuer publishes.
const metadata = `{"issuer":"https://id.example.com/realm","authorization_endpoint":"https://id.example.com/realm/authorize",
	"token_endpoint":"https://tokens.example.com/token","revocation_endpoint":"https://tokens.example.com/revoke",
	"userinfo_endpoint":"https://id.example.com/realm/userinfo","scopes_supported":["openid","email","parcels"],
	"code_challenge_methods_supported":["S256"],"token_endpoint_auth_methods_supported":["client_secret_post"],
	"authorization_response_iss_parameter_supported":true}`

func TestConformance(t *testing.T) {
	for name, test := range map[string]struct {
		options map[string]any
		public  bool
	}{
		"by hand":         {byHand, false},
		"in the form":     {with(byHand, optionClientAuth, "client_secret_post"), false},
		"public":          {byHand, true},
		"by discovery":    {map[string]any{optionIssuer: "https://id.example.com/realm"}, false},
		"with parameters": {with(byHand, optionParams, "audience=https://api.example.com resource=a%20b", optionSeparator, "comma"), false},
	} {
		t.Run(name, func(t *testing.T) {
			providertest.Run(t, providertest.Config{
				Provider: anyService{}, Public: test.public, Replies: os.DirFS("testdata/replies"),
				Service: provider.Service{Scopes: []string{"openid", "email"}, Options: test.options},
				Answer: func(req *providerplugin.HTTPRequest) *providerplugin.HTTPResponse {
					if strings.HasSuffix(req.URL, "/realm/.well-known/openid-configuration") {
						return &providerplugin.HTTPResponse{Status: http.StatusOK, Body: []byte(metadata)}
					}
					return nil
				},
			})
		})
	}
}

// with is a copy of options with more values.
func with(options map[string]any, more ...any) map[string]any {
	all := maps.Clone(options)
	for i := 0; i < len(more); i += 2 {
		name, _ := more[i].(string)
		all[name] = more[i+1]
	}
	return all
}
