package main

import (
	"net/url"
	"os"
	"testing"
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providertest"
)

const prolongAddress = "https://lk-ofd.taxcom.ru/core/connect/prolong"

func TestConformance(t *testing.T) {
	for name, options := range map[string]map[string]any{
		"by the server's name": {optionServer: "lk-ofd", optionProlongURL: prolongAddress},
		"by full addresses": {
			optionAuthorizeBase: "http://kassa.local:8081", optionTokenBase: "http://kassa.local:8082/core/connect/token",
			optionProlongURL: "http://kassa.local:8083/prolong?version=2",
			optionClientAuth: authRawBase64, optionExpiresInUnit: unitMilliseconds,
		},
		"credentials in the form": {optionServer: "lk-ofd.taxcom.ru", optionClientAuth: authBody, optionProlongURL: prolongAddress},
	} {
		t.Run(name, func(t *testing.T) {
			life := 1000 * time.Hour
			if options[optionExpiresInUnit] == unitMilliseconds {
				life = time.Hour
			}
			providertest.Run(t, providertest.Config{
				Provider: taxcomKassa{}, Life: life,
				Service:    provider.Service{Options: options},
				TokenReply: `{"access_token":"{access}","expires_in":3600000,"token_type":"Bearer"}`,
				Replies:    os.DirFS("testdata/replies"),
			})
		})
	}
}

func TestTheBrowserIsSentWithBothNamesOfTheRedirectAddress(t *testing.T) {
	got, err := taxcomKassa{}.AuthCodeURL(t.Context(), &provider.AuthCodeURLRequest{
		Call: provider.Call{Service: service(optionServer, "lk-ofd")}, State: "xyz", RedirectURI: "https://hub.example/callback/kassa",
	})
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(got.URL)
	if err != nil || u.Scheme+"://"+u.Host+u.Path != "https://auth-lk-ofd.taxcom.ru/core/connect/authorize" {
		t.Errorf("the address is %s, %v", got.URL, err)
	}
	for name, want := range map[string]string{
		"redirect_uri": "https://hub.example/callback/kassa", "redirect_url": "https://hub.example/callback/kassa",
		"scope": "api", "response_type": "code", "client_id": "integrator", "state": "xyz",
	} {
		if q := u.Query()[name]; len(q) != 1 || q[0] != want {
			t.Errorf("%s is %q, want %q", name, q, want)
		}
	}
}

func TestWithoutAProlongationAddressNothingIsSent(t *testing.T) {
	_, err := taxcomKassa{}.Refresh(t.Context(), &provider.RefreshRequest{
		Call: provider.Call{Service: service(optionServer, "lk-ofd")}, Current: provider.Token{AccessToken: "a"},
	})
	if provider.KindOf(err) != provider.Blocked {
		t.Errorf("got %v; the token may still be good, so the grant must stay", err)
	}
}

// service is one with options as name and value.
func service(options ...string) provider.Service {
	svc := provider.Service{Name: "kassa", ClientID: "integrator", ClientSecret: secret, Options: map[string]any{}}
	for i := 0; i+1 < len(options); i += 2 {
		svc.Options[options[i]] = options[i+1]
	}
	return svc
}
