package e2e_test

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/test/hubtest"
	"github.com/evergrant/evergrant/plugins/logins/loginstest"
	"github.com/evergrant/evergrant/plugins/statickeys/statickeystest"
	"github.com/evergrant/evergrant/sdk/providertest/authserver"
)

// added is what tests read of a connection that was added.
type added struct {
	Grant      string `json:"grant"`
	Status     string `json:"status"`
	Generation int64  `json:"generation"`
	Obtaining  *struct{ Kind, Code, Message string }
	ValidUntil *time.Time     `json:"valid_until"`
	Options    map[string]any `json:"options"`
}

// service adds a service.
func service(t *testing.T, r *hubtest.Running, name, providerName string, more map[string]any) {
	t.Helper()
	body := map[string]any{"name": name, "title": name, "provider": providerName}
	maps.Copy(body, more)
	r.Admin.Must(t, "POST", "/api/v1/services", body, nil)
}

// The hub obtains tokens of a client itself, again when they are over, and again when a
// process reports that one is rejected; a wrong secret is seen at once, and mended without a
// person.
func TestTheHubObtainsTokensOfAClientItself(t *testing.T) {
	r := hubtest.StartHub(t, nil)
	server := authserver.New(authserver.Config{ClientID: "robot", ClientSecret: "secret-of-robot", AccessTokenLife: time.Hour})
	address, err := server.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	registered := map[string]any{
		"client_id": "robot", "client_secret": "wrong-secret", "scopes": []string{"reports"},
		"options": map[string]any{"token_endpoint": address + "/token", "grants": "client_credentials"},
	}
	service(t, r, "robot", "oauth2", registered)
	var c added
	r.Admin.Must(t, "POST", "/api/v1/connections", map[string]any{"service": "robot", "name": "reports"}, &c)
	if c.Grant != "client_credentials" || c.Generation != 0 || c.Obtaining == nil || c.Obtaining.Kind != "blocked" {
		t.Fatalf("with a wrong secret: %+v", c)
	}
	registered["client_secret"] = "secret-of-robot"
	registered["name"], registered["title"] = "robot", "robot"
	r.Admin.Must(t, "PUT", "/api/v1/services/robot", registered, nil)
	r.Admin.Must(t, "POST", "/api/v1/connections/reports/token-set", map[string]any{}, &c)
	if c.Generation != 1 || c.Status != "fresh" {
		t.Fatalf("with the right secret: %+v", c)
	}
	process := r.Key(t, "reports")
	var first, second hubtest.Pulled
	process.Must(t, "GET", "/api/v1/connections/reports/token", nil, &first)
	if state := server.TokenState(first.AccessToken); state != authserver.Valid {
		t.Errorf("the token is %s", state)
	}
	r.Admin.Must(t, "POST", "/api/v1/connections/reports/renew", nil, nil)
	process.Must(t, "GET", "/api/v1/connections/reports/token", nil, &second)
	if second.Generation != 2 || second.AccessToken == first.AccessToken || server.TokenState(second.AccessToken) != authserver.Valid {
		t.Errorf("after a renewal: generation %d", second.Generation)
	}
	// An authorization in the browser is no way to it.
	if status, body := r.Admin.Do(t, "POST", "/api/v1/connections/reports/authorizations", nil); status < 400 || !strings.Contains(string(body), "no_browser") {
		t.Errorf("an authorization: %d %s", status, body)
	}
}

// A login is checked before it is kept; one that is refused later ends the grant at the first
// refusal, so that the account is not locked, and its owner enters another by a link.
func TestARefusedLoginIsNotTriedAgain(t *testing.T) {
	r := hubtest.StartHub(t, nil)
	emulated := loginstest.New("anna", "first-password")
	address, err := emulated.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = emulated.Close() })
	service(t, r, "kassa", "taxcom-login", map[string]any{"options": map[string]any{"server": address, "integrator_id": "our-id-123"}})
	var c added
	r.Admin.Must(t, "POST", "/api/v1/connections", map[string]any{
		"service": "kassa", "name": "kassa", "fields": map[string]any{"login": "anna", "password": "first-password"},
		"options": map[string]any{"agreement_number": "77"},
	}, &c)
	if c.Grant != "login" || c.Generation != 1 || emulated.Agreement() != "77" || c.Options["agreement_number"] != "77" {
		t.Fatalf("added: %+v", c)
	}
	r.Admin.Must(t, "POST", "/api/v1/connections/kassa/renew", nil, nil)
	if v := r.View(t, "kassa"); v.Generation != 2 || emulated.Logins() != 2 {
		t.Fatalf("a renewal is no login: generation %d, %d logins", v.Generation, emulated.Logins())
	}
	// What is asked for the connection follows its options at once.
	r.Admin.Must(t, "PUT", "/api/v1/connections/kassa/options", map[string]any{"options": map[string]any{"agreement_number": "78"}}, nil)
	r.Admin.Must(t, "POST", "/api/v1/connections/kassa/renew", nil, nil)
	if emulated.Agreement() != "78" {
		t.Errorf("the session is for the agreement %s", emulated.Agreement())
	}
	if status, body := r.Admin.Do(t, "PUT", "/api/v1/connections/kassa/options", map[string]any{"options": map[string]any{"server": "https://evil.example"}}); status != http.StatusUnprocessableEntity {
		t.Errorf("an option that the provider does not declare: %d %s", status, body)
	}
	// Wrong new fields replace nothing.
	if status, body := r.Admin.Do(t, "POST", "/api/v1/connections/kassa/token-set", map[string]any{
		"fields": map[string]any{"login": "anna", "password": "mistyped-password"},
	}); status != http.StatusUnprocessableEntity || strings.Contains(string(body), "mistyped") {
		t.Errorf("wrong fields: %d %s", status, body)
	}
	r.Admin.Must(t, "POST", "/api/v1/connections/kassa/renew", nil, nil)
	if v := r.View(t, "kassa"); v.Generation != 4 {
		t.Errorf("the login that was kept is lost: generation %d", v.Generation)
	}
	emulated.SetPassword("second-password")
	before := emulated.Logins()
	for range 5 {
		_, _ = r.Admin.Do(t, "POST", "/api/v1/connections/kassa/renew", nil)
	}
	if tried := emulated.Logins() - before; tried != 1 || emulated.Locked() {
		t.Errorf("a refused login was tried %d times, locked %t", tried, emulated.Locked())
	}
	if v := r.View(t, "kassa"); v.Status != "needs_authorization" {
		t.Errorf("it is %s", v.Status)
	}
	r.Admin.Must(t, "POST", "/api/v1/connections/kassa/token-set", map[string]any{
		"fields": map[string]any{"login": "anna", "password": "second-password"},
	}, &c)
	if c.Status != "fresh" || strings.Contains(r.Log.String(), "second-password") || strings.Contains(r.Log.String(), "first-password") {
		t.Errorf("the new login: %s; or a password is in the log", c.Status)
	}
}

// A new key is checked before it replaces the one in force, and processes get it at once; its
// holder enters it by a link without an account.
func TestAKeyIsReplacedByALink(t *testing.T) {
	r := hubtest.StartHub(t, nil)
	emulated := statickeystest.New()
	address, err := emulated.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = emulated.Close() })
	service(t, r, "shop", "api-key", map[string]any{"options": map[string]any{"header": statickeystest.Header, "check_url": address + "/me"}})
	ends := time.Now().Add(20 * 24 * time.Hour).UTC().Truncate(time.Second)
	old := emulated.Make(30 * 24 * time.Hour)
	var c added
	r.Admin.Must(t, "POST", "/api/v1/connections", map[string]any{"service": "shop", "name": "shop", "fields": map[string]any{"key": old}, "ends_at": ends}, &c)
	if c.Grant != "static" || c.Generation != 1 || c.ValidUntil == nil || c.ValidUntil.Sub(ends).Abs() > time.Second {
		t.Fatalf("added: %+v", c)
	}
	process := r.Key(t, "shop")
	var pulled hubtest.Pulled
	process.Must(t, "GET", "/api/v1/connections/shop/token", nil, &pulled)
	if pulled.AccessToken != old {
		t.Fatal("the process gets another key")
	}
	link := hubtest.GrantLinkRE.FindString(r.Owner(t).Follow("/connections/shop/link", url.Values{}))
	holder := hubtest.NewVisitor(t, r)
	enter := func(key string) (int, string) {
		status, page, location := holder.Ask("POST", link, url.Values{"static.key": {key}})
		if location != "" {
			status, page, _ = holder.Ask("GET", location, nil)
		}
		return status, page
	}
	status, page := enter("wrong-key-1234567")
	process.Must(t, "GET", "/api/v1/connections/shop/token", nil, &pulled)
	if status != http.StatusUnprocessableEntity || pulled.AccessToken != old || strings.Contains(page, "wrong-key") {
		t.Errorf("a wrong key: %d, the process gets the old one: %t", status, pulled.AccessToken == old)
	}
	fresh := emulated.Make(60 * 24 * time.Hour)
	if status, page = enter(fresh); status != http.StatusOK || !strings.Contains(page, "shop") {
		t.Errorf("a good key: %d\n%s", status, page)
	}
	process.Must(t, "GET", "/api/v1/connections/shop/token", nil, &pulled)
	if pulled.AccessToken != fresh || pulled.Generation != 2 || emulated.State(old) != "valid" {
		t.Errorf("the process gets the new key: %t, generation %d", pulled.AccessToken == fresh, pulled.Generation)
	}
	if status, _ := enter(fresh); status != http.StatusGone {
		t.Errorf("the link is good again: %d", status)
	}
	if log := r.Log.String(); strings.Contains(log, fresh) || strings.Contains(log, "wrong-key-1234567") {
		t.Error("a key is in the log")
	}
}
