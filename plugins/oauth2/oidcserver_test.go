package main

import (
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/evergrant/evergrant/plugins/oauth2/oidctest"
)

const callback = "https://hub.example/callback/oidc"

// oidcClients are one for each way of client authentication. The secret of the
// first one is spoilt by whoever does not percent-encode it for HTTP Basic.
var oidcClients = []oidctest.Client{
	{ClientID: "basic", ClientSecret: "a:secret/with+signs that%20must=be&encoded", Auth: "client_secret_basic", RedirectURIs: []string{callback}},
	{ClientID: "post", ClientSecret: "another secret/of+the&form", Auth: "client_secret_post", RedirectURIs: []string{callback}},
	{ClientID: "public", Auth: "none", RedirectURIs: []string{callback}},
}

// startOIDC starts oidc-provider and returns its issuer. Where Node.js or the
// packages are missing the test is skipped, but never in CI.
func startOIDC(t *testing.T, more ...oidctest.Client) string {
	t.Helper()
	server, err := oidctest.Start(oidctest.Config{Dir: "oidctest", AccessLife: 5 * time.Minute, Clients: slices.Concat(oidcClients, more)})
	if errors.Is(err, oidctest.ErrMissing) && os.Getenv("CI") == "" {
		t.Skipf("The provider is not proven against an authorization server of strangers: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Log(err)
		}
	})
	return server.Issuer
}
