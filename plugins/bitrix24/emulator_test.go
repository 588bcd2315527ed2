package main

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/plugins/bitrix24/bitrix24test"
	"github.com/evergrant/evergrant/plugins/emulator"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
	"github.com/evergrant/evergrant/sdk/providertest"
)

// hub plays the hub and the person against an emulated Bitrix24.
type hub struct {
	t      *testing.T
	server *bitrix24test.Server
	plugin *providerplugin.Client
	relay  *providertest.Relay
	call   provider.Call
	// reach turns an address of Bitrix24 into one that can be opened.
	reach func(*url.URL)
}

var app = bitrix24test.App{
	ClientID: "local.1", ClientSecret: "s3cret", RedirectURI: "https://hub.example/callback/crm?from=b24", Scopes: []string{"crm", "user"},
}

// newHub returns a hub with a service at a portal of this address and, unless it
// is "", at an authorization server of this address.
func newHub(t *testing.T, portal, authServer string, more ...string) *hub {
	t.Helper()
	server := bitrix24test.New(bitrix24test.Config{Apps: []bitrix24test.App{app}, PortalURL: portal, AuthServerURL: authServer})
	hosts := map[string]string{}
	for address, site := range map[string]*httptest.Server{
		portal: httptest.NewServer(server.PortalHandler()), authServer: httptest.NewServer(server.AuthServerHandler()),
	} {
		t.Cleanup(site.Close)
		named, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		hosts[named.Host] = strings.TrimPrefix(site.URL, "http://")
	}
	plugin, stop, err := providerplugin.InProcess(bitrix24{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	h := &hub{t: t, server: server, plugin: plugin, reach: func(u *url.URL) { u.Scheme, u.Host = "http", hosts[u.Host] }}
	h.relay = &providertest.Relay{Route: h.reach}
	h.call = provider.Call{Service: service(portal, more...), Now: time.Now()}
	return h
}

// land has a person authorize and returns what the browser lands on.
func (h *hub) land() url.Values {
	h.t.Helper()
	address, err := h.plugin.AuthCodeURL(h.t.Context(), h.relay, "bitrix24", &provider.AuthCodeURLRequest{Call: h.call, State: "xyz"})
	if err != nil {
		h.t.Fatal(err)
	}
	u, err := url.Parse(address.URL)
	if err != nil {
		h.t.Fatal(err)
	}
	h.reach(u)
	landed, err := emulator.Person{}.Authorize(h.t.Context(), u.String(), emulator.Choices{})
	if err != nil {
		h.t.Fatal(err)
	}
	return landed.Query()
}

func (h *hub) exchange(params url.Values) (*provider.Token, error) {
	return h.plugin.Exchange(h.t.Context(), h.relay, "bitrix24", &provider.ExchangeRequest{
		Call: h.call, Code: params.Get("code"), Params: params, RedirectURI: app.RedirectURI,
	})
}

func (h *hub) refresh(current provider.Token) (*provider.Token, error) {
	return h.plugin.Refresh(h.t.Context(), h.relay, "bitrix24", &provider.RefreshRequest{Call: h.call, Current: current})
}

func TestAGrantFromConsentToItsSecondGeneration(t *testing.T) {
	for name, tc := range map[string]struct {
		portal, server string
		options        []string
	}{
		"the Russian cloud":     {"https://corezoid.bitrix24.ru", "https://oauth.bitrix24.tech", nil},
		"the cloud elsewhere":   {"https://acme.bitrix24.com", "https://oauth.bitrix.info", nil},
		"as documented, by GET": {"https://acme.bitrix24.de", "https://oauth.bitrix.info", []string{optionTokenMethod, tokenByGet}},
		"a box":                 {"http://b24-dev-80.local", "https://oauth.bitrix24.tech", nil},
		"an isolated box":       {"http://b24-dev-80.local:8080", "http://oauth.local", []string{optionAuthServer, "http://oauth.local"}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHub(t, tc.portal, tc.server, tc.options...)
			first, err := h.exchange(h.land())
			if err != nil {
				t.Fatal(err)
			}
			h.check(first, tc.portal, []string{"crm", "user"})
			second, err := h.refresh(*first)
			if err != nil {
				t.Fatal(err)
			}
			h.check(second, tc.portal, nil)
			if state := h.server.TokenState(first.AccessToken); state != emulator.Revoked {
				t.Errorf("the first access token is %s; the emulator should have ended it", state)
			}
			if h.server.Spent() != 0 || len(h.relay.Requests()) != 2 {
				t.Errorf("%d token requests were made, %d with a spent token", len(h.relay.Requests()), h.server.Spent())
			}
		})
	}
}

// check looks at a token set of the emulator.
func (h *hub) check(token *provider.Token, portal string, scopes []string) {
	h.t.Helper()
	if state := h.server.TokenState(token.AccessToken); state != emulator.Valid {
		h.t.Errorf("the access token is %s", state)
	}
	if token.ExpiresIn == nil || *token.ExpiresIn != time.Hour || token.RefreshToken == "" || !slices.Equal(token.Scopes, scopes) {
		h.t.Errorf("%v, expires in %v, scopes %v", token, token.ExpiresIn, token.Scopes)
	}
	if token.RefreshExpiresIn == nil || *token.RefreshExpiresIn != 180*24*time.Hour {
		h.t.Errorf("the refresh token lives for %v", token.RefreshExpiresIn)
	}
	for _, field := range []string{"member_id", "domain", "client_endpoint", "server_endpoint", "status", "user_id", "expires"} {
		if _, ok := token.Extra[field]; !ok {
			h.t.Errorf("the reply's %s was not kept: %v", field, token.Extra)
		}
	}
	if want := strings.TrimPrefix(strings.TrimPrefix(portal, "https://"), "http://"); token.Text(extraPortal) != want {
		h.t.Errorf("the portal is %q, want %q", token.Text(extraPortal), want)
	}
	account, err := h.plugin.Identify(h.t.Context(), h.relay, "bitrix24", &provider.IdentifyRequest{Call: h.call, Current: *token})
	if err != nil || account.ID != fmt.Sprintf("%s:1", token.Text("member_id")) || account.Name != token.Text(extraPortal)+" · ID 1" {
		h.t.Errorf("the account is %+v, %v", account, err)
	}
}

func TestACodeThatWasPastedAloneIsExchanged(t *testing.T) {
	h := newHub(t, "https://corezoid.bitrix24.ru", russianServer)
	shown := app
	shown.RedirectURI = "" // the portal's page shows the code
	h.server.RegisterApp(shown)
	token, err := h.exchange(url.Values{"code": {h.land().Get("code")}})
	if err != nil || token.Text(extraPortal) != "corezoid.bitrix24.ru" || token.Scopes != nil {
		t.Errorf("got %v, %v, scopes %v", token, err, token.Scopes)
	}
}

func TestASecretNeverGoesToTheServerOfAForgedRedirect(t *testing.T) {
	h := newHub(t, "https://corezoid.bitrix24.ru", russianServer)
	params := h.land()
	params.Set("server_domain", "elsewhere.example")
	_, err := h.exchange(params)
	if e, ok := errors.AsType[*provider.Error](err); !ok || e.Option != optionAuthServer || len(h.relay.Requests()) != 0 {
		t.Errorf("got %v after %d requests", err, len(h.relay.Requests()))
	}
}

func TestWhatTheServiceRefusesSaysWhoHasToAct(t *testing.T) {
	h := newHub(t, "https://corezoid.bitrix24.ru", russianServer)
	token, err := h.exchange(h.land())
	if err != nil {
		t.Fatal(err)
	}
	for code, want := range map[string]provider.Kind{
		"wrong_client": provider.Blocked, "invalid_client": provider.Blocked, "PAYMENT_REQUIRED": provider.Blocked,
		"NOT_INSTALLED": provider.Blocked, "ERROR_OAUTH": provider.Blocked, "PORTAL_DELETED": provider.Blocked,
		"USER_ACCESS_ERROR": provider.Blocked, "insufficient_scope": provider.Blocked,
		"invalid_grant": provider.ReauthorizationRequired, "expired_token": provider.ReauthorizationRequired,
		"CONNECTION_ERROR": provider.Transient, "QUERY_LIMIT_EXCEEDED": provider.Transient,
	} {
		for _, spelt := range []string{code, strings.ToLower(code), strings.ToUpper(code)} {
			h.server.SetFault(emulator.Fault{Code: spelt, Status: 200})
			_, err := h.refresh(*token)
			e, ok := errors.AsType[*provider.Error](err)
			if !ok || e.Kind != want || (want != provider.Transient && (e.Remedy.EN == "" || e.Remedy.RU == "")) {
				t.Errorf("%s with status 200: %+v, want %s", spelt, e, want)
			}
		}
	}
	h.server.ClearFault()
	if _, err := h.refresh(*token); err != nil {
		t.Errorf("after all that the grant is %v", err)
	}
}
