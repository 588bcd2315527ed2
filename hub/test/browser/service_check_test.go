package browser_test

import (
	"encoding/json"
	"fmt"
	"html"
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// The check of a service tells what is wrong before anybody is sent away, and adds
// nothing.
func TestTheCheckOfAServiceTellsWhatIsWrong(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	for _, providerName := range []string{"bitrix24", "taxcom-kassa", "google-calendar", "oauth2"} {
		s := world.Service(providerName)
		s.Register(r.Hub.URL() + "/callback/" + s.Name)
		with := func(field, value string) url.Values {
			form := maps.Clone(hubtest.ServiceForm(s))
			form.Set(field, value)
			return form
		}
		for _, c := range []struct {
			what string
			form url.Values
			says string
		}{
			{"all right", hubtest.ServiceForm(s), "knows this client"},
			{"wrong secret", with("client_secret", "not-the-secret"), "refuses this client"},
			{"nothing filled in", url.Values{"name": {s.Name}}, "Fill in the rest first"},
		} {
			status, page, _ := boss.Ask("POST", "/services/new/"+providerName+"/check", c.form)
			if status != 200 || !strings.Contains(page, c.says) {
				t.Errorf("%s, %s: %d, and the page does not say %q: %s", providerName, c.what, status, c.says, hubtest.CheckOf(page))
			}
			if strings.Contains(page, s.ClientSecret) || strings.Contains(page, "not-the-secret") {
				t.Errorf("%s, %s: the page holds the secret", providerName, c.what)
			}
		}
	}
	wrong := hubtest.ServiceForm(world.Service("oauth2"))
	wrong.Set("options.authorization_endpoint", "http://127.0.0.1:1/authorize")
	if _, page, _ := boss.Ask("POST", "/services/new/oauth2/check", wrong); !strings.Contains(page, "No answer from the service") {
		t.Errorf("an address where nobody answers: %s", hubtest.CheckOf(page))
	}
	wrong.Set("options.authorization_endpoint", strings.TrimSuffix(world.Service("oauth2").Address, "/")+"/nowhere")
	if _, page, _ := boss.Ask("POST", "/services/new/oauth2/check", wrong); !strings.Contains(page, "There is no login page") {
		t.Errorf("a page that is not there: %s", hubtest.CheckOf(page))
	}
	// The client is right and named in another way than the service wants.
	other := hubtest.ServiceForm(world.Service("taxcom-kassa"))
	other.Set("options.client_auth", "raw_base64")
	_, page, _ := boss.Ask("POST", "/services/new/taxcom-kassa/check", other)
	if check := hubtest.CheckOf(page); !strings.Contains(check, "refuses this client") || !strings.Contains(check, "was tried as well") || !strings.Contains(check, "Authorization: Basic base64") {
		t.Errorf("another form of client authentication: %s", check)
	}
	if _, page, _ := boss.Ask("GET", "/services", nil); !strings.Contains(page, "Add a service") || strings.Contains(page, world.Service("oauth2").Title) {
		t.Error("a check has added a service")
	}
}

// Whoever only wants the codes gets them once, with how long they are good; nothing
// is stored.
func TestCodesOnceAreShownAndForgotten(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	b := hubtest.StartBrowser(t, 1280, 900)
	s := world.Service("google-calendar")
	r.AddService(t, s)
	b.SetUp(r)
	b.Open(r.Hub.URL() + "/services/" + s.Name)
	b.Click(`.eg-actions a[href^="/once"]`)
	b.Click(`main form button[type=submit].btn-primary`)
	b.Click(`button[name="decision"][value="allow"]`)
	b.See("gave access")
	b.See("The hub has not stored them")
	b.See("Renews itself")
	var codes map[string]any
	if err := json.Unmarshal([]byte(b.Text("#once-codes")), &codes); err != nil {
		t.Fatalf("the codes are no JSON: %v\n%s", err, b.Text("main"))
	}
	token, _ := codes["accessToken"].(string)
	if codes["refreshToken"] == nil || codes["expires"] == nil {
		t.Errorf("the codes lack what somebody needs who keeps them: %v", html.EscapeString(fmt.Sprint(codes)))
	}
	if err := s.Confirm(t.Context(), token); err != nil {
		t.Error(err)
	}
	var list struct {
		Items []struct {
			Generation int64 `json:"generation"`
		} `json:"items"`
	}
	r.Admin.Must(t, "GET", "/api/v1/connections", nil, &list)
	if len(list.Items) != 1 || list.Items[0].Generation != 0 {
		t.Errorf("the grant was kept: %+v", list)
	}
	hubtest.Script[bool](b, "location.reload(), true")
	b.See("What to do")
	b.Open(r.Hub.URL() + "/audit?act=service.once")
	b.See("service.once")
}

// A person who has never seen OAuth comes from the printed link to a pulled token
// with a handful of clicks, following only what the pages offer.
func TestTheFirstWalkTakesAtMostTwelveClicks(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	b := hubtest.StartBrowser(t, 1280, 900)
	s := world.Service("bitrix24")
	clicks := 0
	click := func(selector string) {
		t.Helper()
		clicks++
		b.Click(selector)
	}
	link, err := r.Hub.SetupLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b.Open(link)
	b.Fill("login", "anna")
	b.Fill("password", hubtest.Password)
	b.Fill("repeat", hubtest.Password)
	click("form button[type=submit].btn-primary")
	click(`main a[href="/services/new"]`)
	click(`a[href="/services/new/bitrix24"]`)
	b.Wait(`[name="client_id"]`)
	s.Name = hubtest.Script[string](b, `document.querySelector('[name="name"]').value`)
	click(`.eg-copy button, [data-copy]`) // the redirect URI, for the service's own form
	s.Register(hubtest.Script[string](b, `document.querySelector('#redirect').value`))
	b.Fill("client_id", s.ClientID)
	b.Fill("client_secret", s.ClientSecret)
	folded := false
	for name, value := range s.Options {
		field := `[name="options.` + name + `"]`
		if hubtest.Script[bool](b, `!!document.querySelector('details:not([open]) '+`+"`"+field+"`"+`)`) && !folded {
			click("details.eg-fold:has(" + field + ") > summary")
			folded = true
		}
		if hubtest.Script[string](b, "document.querySelector(`"+field+"`).tagName") == "INPUT" {
			b.Fill("options."+name, fmt.Sprint(value))
		}
	}
	click("form.eg-page-narrow button[type=submit].btn-primary")
	b.Wait(`button[name="then"][value="authorize"]`)
	b.Fill("title", "Sales")
	click(`button[name="then"][value="authorize"]`)
	click(`button[name="decision"][value="allow"]`)
	b.Wait("#status")
	connection := strings.TrimPrefix(b.Address(), r.Hub.URL()+"/connections/")
	click(`a[href^="/keys/new?connection="]`)
	b.Fill("title", "Reports")
	click("main form button[type=submit].btn-primary")
	b.Wait("#new-key")
	key := hubtest.Script[string](b, `document.querySelector('#new-key').value`)
	clicks++ // to copy it
	if !strings.Contains(b.Text("body"), "/api/v1/connections/"+connection+"/token") {
		t.Error("the page of the new key does not show how to pull")
	}
	process := &hubtest.Client{Base: r.Hub.URL(), Key: key}
	if err := s.Confirm(t.Context(), process.Pull(t, connection).AccessToken); err != nil {
		t.Error(err)
	}
	t.Logf("%d clicks from the printed link to a pulled token", clicks)
	if clicks > 12 {
		t.Errorf("%d clicks", clicks)
	}
}
