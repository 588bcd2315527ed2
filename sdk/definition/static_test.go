package definition_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/sdk/definition"
	"github.com/evergrant/evergrant/sdk/provider"
)

// keyed is a service whose access is a key. Its address is %s.
const keyed = `definition: 1
name: acme-key
version: 2026-12-01
title: { en: Acme, ru: Акме }
static_key:
  fields:
    - { name: key, required: true, secret: true, title: { en: Key, ru: Ключ } }
    - { name: shop, title: { en: Shop, ru: Магазин } }
  token: key
userinfo:
  url: HOST/bot{access_token}/me
renewal: { auto: none }
evidence:
  static_key: { kind: recorded, source: seen, read: 2026-11-30 }
  renewal: { kind: recorded, source: seen, read: 2026-11-30 }
`

// A key that a person enters becomes a token set once the service has answered it; a wrong
// one is refused, an outage is not its fault, and no error shows it.
func TestAKeyIsTried(t *testing.T) {
	t.Parallel()
	status, body := http.StatusOK, `{"sub":"7"}`
	asked := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.Path
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	defer server.Close()
	d, err := definition.Parse([]byte(strings.Replace(keyed, "HOST", server.URL, 1)))
	if err != nil {
		t.Fatal(err)
	}
	if described := d.Describe(); !described.PublicClient || len(described.StaticKey.Fields.Options) != 2 || !d.Proven() {
		t.Errorf("%+v", described)
	}
	static, ok := d.Provider().(provider.StaticGrant)
	if !ok {
		t.Fatal("it serves no keys")
	}
	enter := func(key string) (*provider.Token, error) {
		return static.Static(t.Context(), &provider.StaticRequest{
			Call: provider.Call{HTTP: server.Client()}, Fields: provider.Fields{"key": key, "shop": "12"},
		})
	}
	token, err := enter(" 42:secret-key\n")
	if err != nil || token.AccessToken != "42:secret-key" || token.Extra["shop"] != "12" || asked != "/bot42:secret-key/me" {
		t.Errorf("%+v, %v, asked %s", token, err, asked)
	}
	for name, c := range map[string]struct {
		key    string
		status int
		body   string
		want   provider.Kind
	}{
		"nothing":        {"  ", http.StatusOK, `{"sub":"7"}`, provider.ReauthorizationRequired},
		"two words":      {"a b", http.StatusOK, `{"sub":"7"}`, provider.ReauthorizationRequired},
		"a wrong key":    {"42:secret-key", http.StatusUnauthorized, `{"ok":false,"error_code":401,"description":"Unauthorized"}`, provider.ReauthorizationRequired},
		"refused by 200": {"42:secret-key", http.StatusOK, `{"ok":false,"error":"invalid_auth"}`, provider.ReauthorizationRequired},
		"an outage":      {"42:secret-key", http.StatusBadGateway, `{}`, provider.Transient},
	} {
		status, body = c.status, c.body
		_, err := enter(c.key)
		e, ok := errors.AsType[*provider.Error](err)
		if !ok || e.Kind != c.want || strings.Contains(err.Error(), "secret-key") {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if ok && c.want == provider.ReauthorizationRequired && e.Remedy.RU == "" {
			t.Errorf("%s: nobody is told what to do", name)
		}
	}
}

// A definition says which of the fields is the key, and hides it.
func TestTheKeyIsOneOfTheFields(t *testing.T) {
	t.Parallel()
	for name, document := range map[string]string{
		"no such field":  strings.Replace(keyed, "token: key", "token: keys", 1),
		"not secret":     strings.Replace(keyed, "secret: true, ", "", 1),
		"may stay empty": strings.Replace(keyed, "required: true, ", "", 1),
	} {
		_, err := definition.Parse([]byte(strings.Replace(document, "HOST", "https://acme.example", 1)))
		if err == nil || !strings.Contains(err.Error(), "that is required and secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Renewals and the grant of applications go where, and say what, the document has for them.
func TestAServiceWithItsOwnWayToAsk(t *testing.T) {
	t.Parallel()
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		asked = append(asked, r.URL.Path+" "+r.PostForm.Get("grant_type")+" "+r.PostForm.Get("account_id"))
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"access_token":"a","token_type":"bearer"}`))
	}))
	defer server.Close()
	d, err := definition.Parse([]byte(strings.ReplaceAll(`definition: 1
name: acme
version: 2026-12-01
title: { en: Acme, ru: Акме }
options:
  - { name: account, required: true, title: { en: Account, ru: Аккаунт } }
authorization: { url: HOST/authorize }
client_credentials: true
token:
  url: HOST/token
  refresh_url: HOST/refresh
  client_credentials_form: { grant_type: account_credentials, account_id: "{option:account}" }
renewal: { auto: refresh_token, rotation: none }
evidence:
  token: { kind: recorded, source: seen, read: 2026-11-30 }
  renewal: { kind: recorded, source: seen, read: 2026-11-30 }
`, "HOST", server.URL)))
	if err != nil {
		t.Fatal(err)
	}
	call := provider.Call{HTTP: server.Client(), Service: provider.Service{ClientID: "id", ClientSecret: "s", Options: map[string]any{"account": "77"}}}
	p := d.Provider()
	if _, err := p.(provider.Refresher).Refresh(t.Context(), &provider.RefreshRequest{Call: call, Current: provider.Token{RefreshToken: "r"}}); err != nil {
		t.Error(err)
	}
	if _, err := p.(provider.ClientCredentialsGrant).ClientCredentials(t.Context(), &provider.ClientCredentialsRequest{Call: call}); err != nil {
		t.Error(err)
	}
	want := []string{"/refresh refresh_token ", "/token account_credentials 77"}
	if strings.Join(asked, ",") != strings.Join(want, ",") {
		t.Errorf("asked %q, want %q", asked, want)
	}
}
