package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"testing"
)

const callback = "https://hub.example/callback/oidc"

// oidcClient is a client as oidc-provider registers it (RFC 7591).
type oidcClient struct {
	ClientID     string   `json:"client_id"`
	ClientSecret string   `json:"client_secret,omitempty"`
	Auth         string   `json:"token_endpoint_auth_method"`
	GrantTypes   []string `json:"grant_types"`
	RedirectURIs []string `json:"redirect_uris"`
}

// oidcClients are one for each way of client authentication. The secret of the
// first one is spoilt by whoever does not percent-encode it for HTTP Basic.
var oidcClients = []oidcClient{
	{ClientID: "basic", ClientSecret: "a:secret/with+signs that%20must=be&encoded", Auth: "client_secret_basic"},
	{ClientID: "post", ClientSecret: "another secret/of+the&form", Auth: "client_secret_post"},
	{ClientID: "public", Auth: "none"},
}

// startOIDC starts oidc-provider and returns its issuer. Where Node.js or the
// packages are missing the test is skipped, but never in CI.
func startOIDC(t *testing.T) string {
	t.Helper()
	missing := t.Skipf
	if os.Getenv("CI") != "" {
		missing = t.Fatalf
	}
	node, err := exec.LookPath("node")
	if err != nil {
		missing("Node.js is not installed, so the provider is not proven against oidc-provider; `make test` installs it.")
	}
	if _, err := os.Stat("oidctest/node_modules/oidc-provider"); err != nil {
		missing("The packages of plugins/oauth2/oidctest are not installed, so the provider is not proven against oidc-provider; run `npm ci` there or `make test`.")
	}
	for i := range oidcClients {
		oidcClients[i].GrantTypes = []string{"authorization_code", "refresh_token"}
		oidcClients[i].RedirectURIs = []string{callback}
	}
	clients, err := json.Marshal(oidcClients)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	server := exec.Command(node, "server.mjs")
	server.Dir, server.Stderr = "oidctest", &log
	server.Env = append(os.Environ(), "OIDC_CLIENTS="+string(clients), "OIDC_ACCESS_TTL=300")
	stdin, err := server.StdinPipe() // the server ends with it, also if this process is killed
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stdin.Close()
		if err := server.Wait(); err != nil || t.Failed() {
			t.Logf("oidc-provider ended (%v) and said:\n%s", err, log.String())
		}
	})
	var ready struct{ Issuer string }
	lines := bufio.NewScanner(stdout)
	if !lines.Scan() || json.Unmarshal(lines.Bytes(), &ready) != nil || ready.Issuer == "" {
		t.Fatalf("oidc-provider does not say where it listens, but %q", lines.Text())
	}
	return ready.Issuer
}
