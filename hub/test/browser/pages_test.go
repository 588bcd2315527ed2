package browser_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/evergrant/evergrant/hub/test/hubtest"
	"github.com/evergrant/evergrant/plugins/demo"
)

// addService fills in the form of a provider as its service's page said.
func addService(b *hubtest.Browser, r *hubtest.Running, s *demo.Service) {
	b.T.Helper()
	b.Open(r.Hub.URL() + "/services/new")
	b.Click(`a[href$="/services/new/` + s.Provider + `"]`)
	b.Wait(`[name="client_id"]`)
	b.Fill("title", s.Title)
	b.Fill("name", s.Name)
	s.Register(r.Hub.URL() + "/callback/" + s.Name)
	b.Fill("client_id", s.ClientID)
	b.Fill("client_secret", s.ClientSecret)
	hubtest.Script[bool](b, `document.querySelectorAll('details').forEach(d => d.open = true), true`)
	for name, value := range s.Options {
		text, ok := value.(string)
		if !ok {
			b.T.Fatalf("option %s is no text", name)
		}
		field := `[name="options.` + name + `"]`
		if hubtest.Script[string](b, `document.querySelector('`+field+`').tagName`) == "SELECT" {
			b.Do("choose "+name, chromedp.SetValue(chromedp.CSS(field), text))
			continue
		}
		b.Fill("options."+name, text)
	}
	for _, scope := range s.Scopes {
		hubtest.Script[bool](b, `(() => { const box = document.querySelector('input[name="scopes"][value="`+scope+`"]');
			if (box) { box.checked = true } else { const more = document.querySelector('[name="more_scopes"]'); if (more) more.value += ' `+scope+`' }
			return true })()`)
	}
	b.Click("form.eg-page-narrow button[type=submit].btn-primary")
	b.See(s.Title + " is added")
}

// The main job as people and processes see it, for each service that has a login
// page of its own.
func TestAPersonAddsAServiceConnectsItAndAProcessPulls(t *testing.T) {
	t.Parallel()
	for _, providerName := range []string{"bitrix24", "taxcom-kassa", "google-calendar"} {
		t.Run(providerName, func(t *testing.T) {
			world := hubtest.StartWorld(t, 6*time.Second)
			r := hubtest.StartHub(t, nil)
			b := hubtest.StartBrowser(t, 1280, 900)
			s := world.Service(providerName)
			b.SetUp(r)
			addService(b, r, s)
			b.Connect(r, s, "sales")
			b.Click(`button[name="decision"][value="allow"]`)
			b.Wait("#status")
			if b.Address() != r.Hub.URL()+"/connections/sales" {
				t.Fatalf("the browser is back at %s", b.Address())
			}

			key := createKey(b, r, "sales")
			process := &hubtest.Client{Base: r.Hub.URL(), Key: key}
			first := process.Pull(t, "sales")
			codes := accessCodes(b, r, "sales")
			if codes["accessToken"] == "" || codes["accessToken"] == nil {
				t.Errorf("the access codes hold no token: %v", codes)
			}
			hubtest.Until(t, first.ExpiresAt.Add(50*time.Millisecond))
			next := process.Pull(t, "sales")
			if next.Generation <= first.Generation || next.AccessToken == first.AccessToken {
				t.Fatalf("generation %d after %d", next.Generation, first.Generation)
			}
			hubtest.Confirmed(t, s, process, "sales", next)
		})
	}
}

// createKey makes an API key for one connection and returns it from the page,
// which shows it once.
func createKey(b *hubtest.Browser, r *hubtest.Running, connection string) string {
	b.T.Helper()
	b.Open(r.Hub.URL() + "/keys/new")
	b.Fill("title", "Bpium")
	b.Click(`input[name="which"][value="chosen"]`)
	b.Click(`input[name="connections"][value="` + connection + `"]`)
	b.Click("main form button[type=submit].btn-primary")
	b.Wait("#new-key")
	key := hubtest.Script[string](b, `document.querySelector('#new-key').value`)
	b.Open(r.Hub.URL() + "/keys")
	if !strings.HasPrefix(key, "evg_") || strings.Contains(hubtest.Script[string](b, `document.documentElement.outerHTML`), key) {
		b.T.Error("the key is shown a second time, or was not shown at all")
	}
	return key
}

// accessCodes asks the connection's page for its codes and reads the JSON.
func accessCodes(b *hubtest.Browser, r *hubtest.Running, connection string) map[string]any {
	b.T.Helper()
	b.Open(r.Hub.URL() + "/connections/" + connection)
	if strings.Contains(b.Text("#codes"), `"accessToken": "e`) {
		b.T.Error("the codes are shown before anybody asked")
	}
	b.Click("#show-codes")
	shown := ""
	hubtest.Eventually(b.T, "the access codes are shown", func() bool {
		shown = b.Text("#codes pre")
		return shown != "" && !strings.Contains(shown, "•")
	})
	var codes map[string]any
	if err := json.Unmarshal([]byte(shown), &codes); err != nil {
		b.T.Fatalf("the access codes are no JSON: %v\n%s", err, b.Text("#codes"))
	}
	return codes
}
