package browser_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/evergrant/evergrant/hub/test/hubtest"
	"github.com/evergrant/evergrant/sdk/providertest/authserver"
)

// Which accounts may authorize a connection is entered on its page. Another one is refused
// with what to do next, in both languages, and an allowed one is taken.
func TestOnlyAllowedAccountsAuthorizeAConnection(t *testing.T) {
	t.Parallel()
	r := hubtest.StartHub(t, nil)
	r.Owner(t)
	server := authserver.New(authserver.Config{
		ClientID: "tv", ClientSecret: "secret-of-tv", DeviceInterval: time.Second,
		Accounts: []authserver.Account{{ID: "1", Login: "anna@example.org", Name: "Anna"}, {ID: "2", Login: "boris@example.test", Name: "Boris"}},
	})
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
	enters := func(login string) {
		t.Helper()
		b.Wait("#user-code")
		if !server.DecideDevice(b.Text("#user-code"), login) {
			t.Fatalf("the service does not take the code for %s", login)
		}
	}
	const form = `form[action="/connections/hall/accounts"]`
	save := func(accounts string) {
		t.Helper()
		b.Open(r.Hub.URL() + "/connections/hall")
		b.Fill("accounts", accounts)
		b.Click(form + " button")
	}
	pictures := func(name, address string, says map[string][]string) {
		t.Helper()
		for _, lang := range []string{"ru", "en"} {
			for _, width := range widths {
				speakOf(b, address, lang, width)
				for _, words := range says[lang] {
					b.See(words)
				}
				inBounds(b, name)
				b.Do("be as tall", chromedp.EmulateViewport(width, 1000))
				hubtest.Script[bool](b, "document.getElementById('accounts-title')?.scrollIntoView(), true")
				snap(b, fmt.Sprintf("accounts-%s-%s-%d", name, lang, width))
			}
		}
	}
	save("@")
	b.Wait(form + " .is-invalid")
	inBounds(b, "the form of accounts with a problem")
	snap(b, "accounts-problem")
	save("@example.org")
	b.See("The allowed accounts of Hall are saved")
	pictures("form", r.Hub.URL()+"/connections/hall", map[string][]string{"en": {"Allowed accounts"}, "ru": {"Разрешённые аккаунты"}})
	if got := value(b, "accounts"); got != "@example.org" {
		t.Errorf("the form has %q", got)
	}
	b.Click(`form[action="/connections/hall/authorize"] button`)
	enters("boris@example.test")
	b.Wait("#again")
	pictures("refused", r.Hub.URL()+"/connections/hall/device", map[string][]string{
		"en": {"This account may not be used here", "boris@example.test", "@example.org", "Log out at Rooms"},
		"ru": {"Этот аккаунт здесь не разрешён", "boris@example.test", "@example.org", "Выйдите из «Rooms»"},
	})
	b.Click("#again")
	enters("anna@example.org")
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
