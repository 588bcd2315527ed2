package foreign

import (
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/test/hubtest"
	"github.com/evergrant/evergrant/plugins/oauth2/oidctest"
)

// onDevice is what a process or a page is told of a device authorization.
type onDevice struct {
	State                   string `json:"state"`
	UserCode                string `json:"user_code"`
	VerificationURI         string `json:"verification_uri"`
	VerificationURIComplete string `json:"verification_uri_complete"`
}

// A person enters the code of a device at oidc-provider (RFC 8628). The hub has asked before,
// as often as the server wants, and what it is given is pulled and renewed.
func TestACodeEnteredAtOIDCProviderBecomesAGrant(t *testing.T) {
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	c := client(r, "tv", "client_secret_basic")
	c.GrantTypes, c.RedirectURIs = []string{"urn:ietf:params:oauth:grant-type:device_code", "refresh_token"}, []string{}
	server := startOIDC(t, oidctest.Config{AccessLife: 10 * time.Minute, Clients: []oidctest.Client{c}})
	add(t, r, boss, server.Issuer, c, map[string]any{"grants": "device_code"})
	const at = "/api/v1/connections/tv/device-authorization"
	var d onDevice
	r.Admin.Must(t, "POST", at, nil, &d)
	if d.State != "pending" || d.UserCode == "" || !strings.HasPrefix(d.VerificationURI, server.Issuer) || !strings.Contains(d.VerificationURIComplete, d.UserCode) {
		t.Fatalf("begun as %+v", d)
	}
	if _, page, _ := boss.Ask("GET", "/connections/tv/device", nil); !strings.Contains(page, d.UserCode) {
		t.Errorf("the page shows no code:\n%s", page)
	}
	hubtest.Eventually(t, "the server to be asked before the person has answered", func() bool { return seen(t, server).Refused > 0 })
	if err := oidctest.NewPerson().Device(t.Context(), d.VerificationURIComplete); err != nil {
		t.Fatal(err)
	}
	hubtest.Eventually(t, "the device authorization to end", func() bool {
		d = onDevice{}
		r.Admin.Must(t, "GET", at, nil, &d)
		return d.State != "pending"
	})
	if v := r.View(t, "tv"); d.State != "authorized" || v.Generation != 1 || v.Account == nil || v.Account.ID != "anna" {
		t.Fatalf("it is %s, the connection %+v", d.State, v)
	}
	live(t, r, "tv")
	if s := seen(t, server); s.Renewed != 2 || s.Revoked != 0 {
		t.Errorf("the server has seen %+v", s)
	}
}
