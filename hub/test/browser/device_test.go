package browser_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/evergrant/evergrant/hub/test/hubtest"
	"github.com/evergrant/evergrant/sdk/providertest/authserver"
)

// A person authorizes by a code on another device: the page shows the code, where to enter
// it and its picture for a phone, goes on by itself, and says how it ended and what to do.
func TestAPersonAuthorizesByACodeOnAnotherDevice(t *testing.T) {
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
		"name": "tv", "title": "Телевизоры в переговорных", "provider": "oauth2", "client_id": "tv", "client_secret": "secret-of-tv",
		"scopes": []string{"openid"}, "options": map[string]any{"issuer": address, "grants": "device_code"},
	}, nil)
	r.Admin.Must(t, "POST", "/api/v1/connections", map[string]any{"service": "tv", "name": "hall", "title": "Большой зал"}, nil)
	b := hubtest.StartBrowser(t, 1440, 900)
	b.LogIn(r, "owner")
	b.Open(r.Hub.URL() + "/connections/hall")
	b.Click(`form[action="/connections/hall/authorize"] button`)
	b.Wait("#user-code")
	code := b.Text("#user-code")
	pictures := func(name string) {
		t.Helper()
		for _, lang := range []string{"ru", "en"} {
			for _, width := range []int64{360, 1440} {
				speakOf(b, r.Hub.URL()+"/connections/hall/device", lang, width)
				hubtest.Script[bool](b, `window.stop(), true`) // it does not load itself again while it is looked at
				inBounds(b, "the page of a device authorization")
				b.Do("be as tall", chromedp.EmulateViewport(width, 1000))
				snap(b, fmt.Sprintf("device-%s-%s-%d", name, lang, width))
			}
		}
	}
	pictures("pending")
	if again := b.Text("#user-code"); again != code {
		t.Errorf("the code changed from %s to %s", code, again)
	}
	if href := hubtest.Script[string](b, `document.getElementById('open').href`); href != address+"/device?user_code="+code {
		t.Errorf("the button leads to %s", href)
	}
	if n := hubtest.Script[int](b, `document.querySelectorAll('.eg-qr path').length`); n != 1 {
		t.Errorf("%d pictures of the address", n)
	}
	b.Open(r.Hub.URL() + "/connections/hall/device")
	b.Wait("#user-code")
	server.DecideDevice(code, "")
	b.Wait("#again") // the page has loaded itself again
	pictures("denied")
	b.Click("#again")
	b.Wait("#user-code")
	server.DecideDevice(b.Text("#user-code"), "anna@example.test")
	b.Wait(".eg-mark.is-good")
	pictures("done")
	b.Click("#back")
	b.See("anna@example.test")
	b.Menu("#rehearse")
	b.Wait("#rehearsal .eg-note.is-good")
	b.Do("be as wide", chromedp.EmulateViewport(360, 1000))
	inBounds(b, "a connection with a rehearsal")
	snap(b, "rehearsal-360")
}
