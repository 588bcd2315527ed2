package main

import (
	"io/fs"
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
		"key":             {with(byHand, optionClientAuth, "private_key_jwt"), true},
		"secret as key":   {with(byHand, optionClientAuth, "client_secret_jwt"), false},
		"certificate":     {with(byHand, optionClientAuth, "self_signed_tls_client_auth"), true},
		"dpop":            {with(byHand, optionDPoP, true), false},
		"dpop and key":    {with(byHand, optionDPoP, true, optionClientAuth, "private_key_jwt"), true},
		"pushed":          {with(byHand, optionPush, true, optionPushed, pushedURL), false},
		"pushed by key":   {with(byHand, optionPush, true, optionPushed, pushedURL, optionClientAuth, "private_key_jwt"), true},
		"resources":       {with(byHand, optionResources, "https://api.example.com https://files.example.com"), false},
		"introspection":   {with(byHand, optionIntrospection, "https://login.example.com/introspect"), false},
	} {
		t.Run(name, func(t *testing.T) { conform(t, test.options, test.public, os.DirFS("testdata/replies")) })
	}
}

// The recorded replies are of codes and refresh tokens, so grants without them have none.
func TestConformanceOfOtherGrants(t *testing.T) {
	for name, test := range map[string]struct {
		options map[string]any
		public  bool
	}{
		"client credentials":           {with(byHand, optionGrants, grantsClient), false},
		"client credentials by key":    {with(byHand, optionGrants, grantsClient, optionClientAuth, "private_key_jwt"), true},
		"device code":                  {with(byHand, optionGrants, grantsDevice, optionDevice, deviceURL), false},
		"device code, public":          {with(byHand, optionGrants, grantsDevice, optionDevice, deviceURL), true},
		"device code, bound":           {with(byHand, optionGrants, grantsDevice, optionDevice, deviceURL, optionDPoP, true), false},
		"assertion":                    {with(byHand, optionGrants, grantsBearer), true},
		"assertion with a certificate": {with(byHand, optionGrants, grantsBearer, optionClientAuth, "self_signed_tls_client_auth"), true},
	} {
		t.Run(name, func(t *testing.T) { conform(t, test.options, test.public, nil) })
	}
}

const (
	pushedURL = "https://login.example.com/par"
	deviceURL = "https://login.example.com/device"
)

// answers are what the service says besides token replies, by the end of the address.
var answers = map[string]string{
	"/realm/.well-known/openid-configuration": metadata,
	"/par":        `{"request_uri":"urn:example:request:1","expires_in":60}`,
	"/device":     `{"device_code":"canary-device/9+x=","user_code":"ABCD-EFGH","verification_uri":"https://login.example.com/activate","expires_in":600,"interval":5}`,
	"/introspect": `{"active":true,"scope":"openid email"}`,
}

func conform(t *testing.T, options map[string]any, public bool, replies fs.FS) {
	t.Helper()
	providertest.Run(t, providertest.Config{
		Provider: anyService{}, Public: public, Replies: replies,
		Service: provider.Service{Scopes: []string{"openid", "email"}, Options: options},
		Answer: func(req *providerplugin.HTTPRequest) *providerplugin.HTTPResponse {
			for end, body := range answers {
				if strings.HasSuffix(req.URL, end) {
					return &providerplugin.HTTPResponse{Status: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body)}
				}
			}
			return nil
		},
	})
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
