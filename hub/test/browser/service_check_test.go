package hub_test

import (
	"encoding/json"
	"fmt"
	"html"
	"maps"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/plugins/demo"
)

// serviceForm is what an administrator enters for an emulated service.
func serviceForm(s *demo.Service) url.Values {
	form := url.Values{"name": {s.Name}, "title": {s.Title}, "client_id": {s.ClientID}, "client_secret": {s.ClientSecret}, "scopes": s.Scopes}
	for name, value := range s.Options {
		form.Set("options."+name, fmt.Sprint(value))
	}
	return form
}

// The check of a service tells what is wrong before anybody is sent away, and adds
// nothing.
func TestTheCheckOfAServiceTellsWhatIsWrong(t *testing.T) {
	t.Parallel()
	world := startWorld(t, time.Hour)
	r := startHub(t, nil)
	boss := r.owner(t)
	for _, providerName := range []string{"bitrix24", "taxcom-kassa", "google-calendar", "oauth2"} {
		s := world.Service(providerName)
		s.Register(r.hub.URL() + "/callback/" + s.Name)
		with := func(field, value string) url.Values {
			form := maps.Clone(serviceForm(s))
			form.Set(field, value)
			return form
		}
		for _, c := range []struct {
			what string
			form url.Values
			says string
		}{
			{"all right", serviceForm(s), "knows this client"},
			{"wrong secret", with("client_secret", "not-the-secret"), "refuses this client"},
			{"nothing filled in", url.Values{"name": {s.Name}}, "Fill in the rest first"},
		} {
			status, page, _ := boss.ask("POST", "/services/new/"+providerName+"/check", c.form)
			if status != 200 || !strings.Contains(page, c.says) {
				t.Errorf("%s, %s: %d, and the page does not say %q: %s", providerName, c.what, status, c.says, checkOf(page))
			}
			if strings.Contains(page, s.ClientSecret) || strings.Contains(page, "not-the-secret") {
				t.Errorf("%s, %s: the page holds the secret", providerName, c.what)
			}
		}
	}
	wrong := serviceForm(world.Service("oauth2"))
	wrong.Set("options.authorization_endpoint", "http://127.0.0.1:1/authorize")
	if _, page, _ := boss.ask("POST", "/services/new/oauth2/check", wrong); !strings.Contains(page, "No answer from the service") {
		t.Errorf("an address where nobody answers: %s", checkOf(page))
	}
	wrong.Set("options.authorization_endpoint", strings.TrimSuffix(world.Service("oauth2").Address, "/")+"/nowhere")
	if _, page, _ := boss.ask("POST", "/services/new/oauth2/check", wrong); !strings.Contains(page, "There is no login page") {
		t.Errorf("a page that is not there: %s", checkOf(page))
	}
	// The client is right and named in another way than the service wants.
	other := serviceForm(world.Service("taxcom-kassa"))
	other.Set("options.client_auth", "raw_base64")
	_, page, _ := boss.ask("POST", "/services/new/taxcom-kassa/check", other)
	if check := checkOf(page); !strings.Contains(check, "refuses this client") || !strings.Contains(check, "was tried as well") || !strings.Contains(check, "Authorization: Basic base64") {
		t.Errorf("another form of client authentication: %s", check)
	}
	if _, page, _ := boss.ask("GET", "/services", nil); !strings.Contains(page, "Add a service") || strings.Contains(page, world.Service("oauth2").Title) {
		t.Error("a check has added a service")
	}
}

var checkRE = regexp.MustCompile(`(?s)<div id="check".*?<div class="eg-form-foot">`)

// checkOf is the part of a page that says what the check of a service found.
func checkOf(page string) string { return checkRE.FindString(page) }

// Whoever only wants the codes gets them once, with how long they are good; nothing
// is stored.
func TestCodesOnceAreShownAndForgotten(t *testing.T) {
	t.Parallel()
	world := startWorld(t, time.Hour)
	r := startHub(t, nil)
	b := startBrowser(t, 1280, 900)
	s := world.Service("google-calendar")
	r.addService(t, s)
	b.setUp(r)
	b.open(r.hub.URL() + "/services/" + s.Name)
	b.click(`.eg-actions a[href^="/once"]`)
	b.click(`main form button[type=submit].btn-primary`)
	b.click(`button[name="decision"][value="allow"]`)
	b.see("gave access")
	b.see("The hub has not stored them")
	b.see("Renews itself")
	var codes map[string]any
	if err := json.Unmarshal([]byte(b.text("#once-codes")), &codes); err != nil {
		t.Fatalf("the codes are no JSON: %v\n%s", err, b.text("main"))
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
	r.admin.must(t, "GET", "/api/v1/connections", nil, &list)
	if len(list.Items) != 1 || list.Items[0].Generation != 0 {
		t.Errorf("the grant was kept: %+v", list)
	}
	script[bool](b, "location.reload(), true")
	b.see("What to do")
	b.open(r.hub.URL() + "/audit?act=service.once")
	b.see("service.once")
}

// A person who has never seen OAuth comes from the printed link to a pulled token
// with a handful of clicks, following only what the pages offer.
func TestTheFirstWalkTakesAtMostTwelveClicks(t *testing.T) {
	t.Parallel()
	world := startWorld(t, time.Hour)
	r := startHub(t, nil)
	b := startBrowser(t, 1280, 900)
	s := world.Service("bitrix24")
	clicks := 0
	click := func(selector string) {
		t.Helper()
		clicks++
		b.click(selector)
	}
	link, err := r.hub.SetupLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b.open(link)
	b.fill("login", "anna")
	b.fill("password", testPassword)
	b.fill("repeat", testPassword)
	click("form button[type=submit].btn-primary")
	click(`main a[href="/services/new"]`)
	click(`a[href="/services/new/bitrix24"]`)
	b.wait(`[name="client_id"]`)
	s.Name = script[string](b, `document.querySelector('[name="name"]').value`)
	click(`.eg-copy button, [data-copy]`) // the redirect URI, for the service's own form
	s.Register(script[string](b, `document.querySelector('#redirect').value`))
	b.fill("client_id", s.ClientID)
	b.fill("client_secret", s.ClientSecret)
	folded := false
	for name, value := range s.Options {
		field := `[name="options.` + name + `"]`
		if script[bool](b, `!!document.querySelector('details:not([open]) '+`+"`"+field+"`"+`)`) && !folded {
			click("details.eg-fold summary")
			folded = true
		}
		if script[string](b, "document.querySelector(`"+field+"`).tagName") == "INPUT" {
			b.fill("options."+name, fmt.Sprint(value))
		}
	}
	click("form.eg-page-narrow button[type=submit].btn-primary")
	b.wait(`button[name="then"][value="authorize"]`)
	b.fill("title", "Sales")
	click(`button[name="then"][value="authorize"]`)
	click(`button[name="decision"][value="allow"]`)
	b.wait("#standing")
	connection := strings.TrimPrefix(b.address(), r.hub.URL()+"/connections/")
	click(`a[href^="/keys/new?connection="]`)
	b.fill("title", "Reports")
	click("main form button[type=submit].btn-primary")
	b.wait("#new-key")
	key := script[string](b, `document.querySelector('#new-key').value`)
	clicks++ // to copy it
	if !strings.Contains(b.text("body"), "/api/v1/connections/"+connection+"/token") {
		t.Error("the page of the new key does not show how to pull")
	}
	process := &client{base: r.hub.URL(), key: key}
	if err := s.Confirm(t.Context(), process.pull(t, connection).AccessToken); err != nil {
		t.Error(err)
	}
	t.Logf("%d clicks from the printed link to a pulled token", clicks)
	if clicks > 12 {
		t.Errorf("%d clicks", clicks)
	}
}
