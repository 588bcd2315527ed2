package browser_test

import (
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/test/hubtest"
	"github.com/evergrant/evergrant/sdk/providertest/authserver"
)

// Which accounts may authorize a connection is entered on its page. Another one is refused
// with what to do next, in both languages, and an allowed one is taken.
func TestOnlyAllowedAccountsAuthorizeAConnection(t *testing.T) {
	t.Parallel()
	r := hubtest.StartHub(t, nil)
	r.Owner(t)
	server := authserver.New(authserver.Config{ClientID: "tv", ClientSecret: "secret-of-tv", DeviceInterval: time.Second})
	address, err := server.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	r.Admin.Must(t, "POST", "/api/v1/services", map[string]any{
		"name": "tv", "title": "Rooms", "provider": "oauth2", "client_id": "tv", "client_secret": "secret-of-tv",
		"scopes": []string{"openid"}, "options": map[string]any{"issuer": address, "grants": "device_code"},
	}, nil)
	r.Admin.Must(t, "POST", "/api/v1/connections", map[string]any{"service": "tv", "name": "hall", "title": "Hall"}, nil)
	b := hubtest.StartBrowser(t, 360, 900)
	b.LogIn(r, "owner")
	save := func(accounts string) {
		t.Helper()
		b.Open(r.Hub.URL() + "/connections/hall")
		b.Fill("accounts", accounts)
		b.Click(`form[action="/connections/hall/accounts"] button`)
	}
	save("@")
	b.Wait(`form[action="/connections/hall/accounts"] .is-invalid`)
	save("@example.org")
	b.See("The allowed accounts of hall are saved")
	b.Click(`form[action="/connections/hall/authorize"] button`)
	b.Wait("#user-code")
	server.DecideDevice(b.Text("#user-code"), "boris@example.test")
	b.Wait("#again")
	for lang, says := range map[string][]string{
		"en": {"This account may not be used here", "boris@example.test", "@example.org", "Log out at Rooms"},
		"ru": {"boris@example.test", "@example.org", "Rooms"},
	} {
		speakOf(b, r.Hub.URL()+"/connections/hall/device", lang, 360)
		for _, words := range says {
			b.See(words)
		}
		inBounds(b, "the refusal of an account")
	}
	b.Click("#again")
	b.Wait("#user-code")
	server.DecideDevice(b.Text("#user-code"), "anna@example.org")
	b.Wait(".eg-mark.is-good")
	b.Click("#back")
	b.See("anna@example.org")
	var read struct {
		Accounts []string `json:"accounts"`
	}
	r.Admin.Must(t, "GET", "/api/v1/connections/hall/allowed-accounts", nil, &read)
	if len(read.Accounts) != 1 || read.Accounts[0] != "@example.org" {
		t.Errorf("the API has %q", read.Accounts)
	}
}
