package definition

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/sdk/provider"
)

func TestAddressesAreFilledIn(t *testing.T) {
	t.Parallel()
	v := values{
		call:     provider.Call{Service: provider.Service{Options: map[string]any{"host": "https://acme.example/", "tenant": "a b/../c"}}},
		current:  provider.Token{Private: map[string]any{"host": "eu.acme.example"}},
		callback: url.Values{"where": {"elsewhere.example"}},
	}
	for template, want := range map[string]string{
		"":                                       "",
		"https://acme.example/token":             "https://acme.example/token",
		"https://{option:host}/token":            "https://acme.example/token",
		"https://{private:host}/token":           "https://eu.acme.example/token",
		"https://{callback:where}":               "https://elsewhere.example",
		"https://acme.example/{option:tenant}/x": "https://acme.example/a%20b%2F..%2Fc/x",
	} {
		if got, err := v.address(template); got != want || err != nil {
			t.Errorf("%s: %s, %v", template, got, err)
		}
	}
	_, err := v.address("https://{option:missing}/token")
	if provider.KindOf(err) != provider.Blocked || !strings.Contains(err.Error(), "{option:missing}") {
		t.Errorf("an address without its host: %v", err)
	}
}

// What a callback brought is kept for renewals, and leads no secret to another host.
func TestATenantOfACallbackIsKept(t *testing.T) {
	t.Parallel()
	d, err := Parse([]byte(strings.NewReplacer(
		"https://acme.example/token", "https://{private:host}/token\n  refresh_params: { redirect_uri: \"{redirect_uri}\" }",
		"/authorize\n", "/authorize\n  keep: { host: referer }\n",
		"evidence:\n", "hosts:\n  - { pattern: \"*.acme.example\", client_secret: true }\nevidence:\n",
	).Replace(whole)))
	if err != nil {
		t.Fatal(err)
	}
	var asked []string
	client := &http.Client{Transport: answering(func(req *http.Request) string {
		if err := req.ParseForm(); err != nil {
			t.Error(err)
		}
		asked = append(asked, req.URL.Host+" "+req.Form.Get("redirect_uri"))
		return `{"access_token":"a","refresh_token":"r","expires_in":60}`
	})}
	call := provider.Call{Service: provider.Service{ClientID: "id", ClientSecret: "secret"}, HTTP: client}
	p, _ := d.Provider().(served)
	token, err := p.Exchange(t.Context(), &provider.ExchangeRequest{Call: call, Code: "c", RedirectURI: "https://hub", Params: url.Values{"referer": {"eu.acme.example"}}})
	if err != nil || token.Private["host"] != "eu.acme.example" {
		t.Fatalf("%+v, %v", token, err)
	}
	token, err = p.Refresh(t.Context(), &provider.RefreshRequest{Call: call, Current: *token, RedirectURI: "https://hub"})
	if err != nil || len(asked) != 2 || asked[1] != "eu.acme.example https://hub" {
		t.Fatalf("%+v, %v, asked %v", token, err, asked)
	}
	_, err = p.Exchange(t.Context(), &provider.ExchangeRequest{Call: call, Code: "c", Params: url.Values{"referer": {"elsewhere.example"}}})
	if provider.KindOf(err) != provider.Blocked || len(asked) != 2 {
		t.Errorf("a secret went to %v: %v", asked, err)
	}
}

// answering is a transport that answers itself.
type answering func(*http.Request) string

func (a answering) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(a(req))), Request: req,
	}, nil
}
