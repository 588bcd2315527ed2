package hub_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/evergrant/evergrant/plugins/demo"
)

// testPassword is the password of everybody in tests.
const testPassword = "correct horse battery"

// setUp makes the first administrator through the one-time link.
func (b *browser) setUp(r *running) {
	b.t.Helper()
	link, err := r.hub.SetupLink(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	b.open(link)
	b.fill("name", "Анна Петрова")
	b.fill("login", "anna")
	b.fill("password", testPassword)
	b.fill("repeat", testPassword)
	b.click("form button[type=submit].btn-primary")
	b.wait("nav")
}

// addService fills in the form of a provider as its service's page said.
func (b *browser) addService(r *running, s *demo.Service) {
	b.t.Helper()
	b.open(r.hub.URL() + "/services/new")
	b.click(`a[href$="/services/new/` + s.Provider + `"]`)
	b.wait(`[name="client_id"]`)
	b.fill("title", s.Title)
	b.fill("name", s.Name)
	s.Register(r.hub.URL() + "/callback/" + s.Name)
	b.fill("client_id", s.ClientID)
	b.fill("client_secret", s.ClientSecret)
	script[bool](b, `document.querySelectorAll('details').forEach(d => d.open = true), true`)
	for name, value := range s.Options {
		text, ok := value.(string)
		if !ok {
			b.t.Fatalf("option %s is no text", name)
		}
		field := `[name="options.` + name + `"]`
		if script[string](b, `document.querySelector('`+field+`').tagName`) == "SELECT" {
			b.do("choose "+name, chromedp.SetValue(chromedp.CSS(field), text))
			continue
		}
		b.fill("options."+name, text)
	}
	for _, scope := range s.Scopes {
		script[bool](b, `(() => { const box = document.querySelector('input[name="scopes"][value="`+scope+`"]');
			if (box) { box.checked = true } else { const more = document.querySelector('[name="more_scopes"]'); if (more) more.value += ' `+scope+`' }
			return true })()`)
	}
	b.click("form.eg-page-narrow button[type=submit].btn-primary")
	b.see(s.Title + " is added")
}

// connect makes a connection and lands at the service's own login page.
func (b *browser) connect(r *running, s *demo.Service, name string) {
	b.t.Helper()
	b.open(r.hub.URL() + "/connections/new?service=" + s.Name)
	b.fill("title", "Касса № 1 — "+s.Title)
	b.fill("name", name)
	b.click(`button[name="then"][value="authorize"]`)
	b.wait(`button[name="decision"][value="allow"]`) // by itself: the page in between moves on
	if !strings.HasPrefix(b.address(), s.Address) {
		b.t.Fatalf("the browser is at %s, not at the service", b.address())
	}
}

// The main job as people and processes see it, for each service that has a login
// page of its own.
func TestAPersonAddsAServiceConnectsItAndAProcessPulls(t *testing.T) {
	t.Parallel()
	for _, providerName := range []string{"bitrix24", "taxcom-kassa", "google-calendar"} {
		t.Run(providerName, func(t *testing.T) {
			world := startWorld(t, 6*time.Second)
			r := startHub(t, nil)
			b := startBrowser(t, 1280, 900)
			s := world.Service(providerName)
			b.setUp(r)
			b.addService(r, s)
			b.connect(r, s, "sales")
			b.click(`button[name="decision"][value="allow"]`)
			b.wait("#standing")
			if b.address() != r.hub.URL()+"/connections/sales" {
				t.Fatalf("the browser is back at %s", b.address())
			}

			key := b.createKey(r, "sales")
			process := &client{base: r.hub.URL(), key: key}
			first := process.pull(t, "sales")
			codes := b.accessCodes(r, "sales")
			if codes["accessToken"] == "" || codes["accessToken"] == nil {
				t.Errorf("the access codes hold no token: %v", codes)
			}
			until(t, first.ExpiresAt.Add(50*time.Millisecond))
			next := process.pull(t, "sales")
			if next.Generation <= first.Generation || next.AccessToken == first.AccessToken {
				t.Fatalf("generation %d after %d", next.Generation, first.Generation)
			}
			confirmed(t, s, process, "sales", next)
		})
	}
}

// createKey makes an API key for one connection and returns it from the page,
// which shows it once.
func (b *browser) createKey(r *running, connection string) string {
	b.t.Helper()
	b.open(r.hub.URL() + "/keys/new")
	b.fill("title", "Bpium")
	b.click(`input[name="which"][value="chosen"]`)
	b.click(`input[name="connections"][value="` + connection + `"]`)
	b.click("main form button[type=submit].btn-primary")
	b.wait("#new-key")
	key := script[string](b, `document.querySelector('#new-key').value`)
	b.open(r.hub.URL() + "/keys")
	if !strings.HasPrefix(key, "evg_") || strings.Contains(script[string](b, `document.documentElement.outerHTML`), key) {
		b.t.Error("the key is shown a second time, or was not shown at all")
	}
	return key
}

// accessCodes asks the connection's page for its codes and reads the JSON.
func (b *browser) accessCodes(r *running, connection string) map[string]any {
	b.t.Helper()
	b.open(r.hub.URL() + "/connections/" + connection)
	if strings.Contains(b.text("#codes"), `"accessToken": "e`) {
		b.t.Error("the codes are shown before anybody asked")
	}
	b.click("#show-codes")
	shown := ""
	eventually(b.t, "the access codes are shown", func() bool {
		shown = b.text("#codes pre")
		return shown != "" && !strings.Contains(shown, "•")
	})
	var codes map[string]any
	if err := json.Unmarshal([]byte(shown), &codes); err != nil {
		b.t.Fatalf("the access codes are no JSON: %v\n%s", err, b.text("#codes"))
	}
	return codes
}
