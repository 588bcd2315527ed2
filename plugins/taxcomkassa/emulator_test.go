package main

import (
	"net/url"
	"testing"
	"time"

	"github.com/evergrant/evergrant/plugins/emulator"
	"github.com/evergrant/evergrant/plugins/taxcomkassa/taxcomkassatest"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
	"github.com/evergrant/evergrant/sdk/providertest"
)

const (
	redirectURI = "https://hub.example/callback/kassa"
	secret      = "p+r%2Bc:ent" // must travel as it is
)

// hub plays the hub and the person against an emulated Taxcom-Kassa.
type hub struct {
	t      *testing.T
	server *taxcomkassatest.Server
	plugin *providerplugin.Client
	relay  *providertest.Relay
	call   provider.Call
}

func newHub(t *testing.T, config taxcomkassatest.Config, options ...string) *hub {
	t.Helper()
	config.Clients = []taxcomkassatest.Client{{ClientID: "integrator", ClientSecret: secret, RedirectURIs: []string{redirectURI}}}
	server := taxcomkassatest.New(config)
	if err := server.Start("", ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	plugin, stop, err := providerplugin.InProcess(taxcomKassa{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	options = append(options, optionAuthorizeBase, server.AuthorizeServerURL, optionTokenBase, server.TokenServerURL, optionProlongURL, server.ProlongURL())
	return &hub{
		t: t, server: server, plugin: plugin, relay: &providertest.Relay{},
		call: provider.Call{Service: service(options...), Now: time.Now()},
	}
}

// land has a person authorize and returns what the browser lands on.
func (h *hub) land() url.Values {
	h.t.Helper()
	address, err := h.plugin.AuthCodeURL(h.t.Context(), h.relay, "taxcom-kassa", &provider.AuthCodeURLRequest{
		Call: h.call, State: "xyz", RedirectURI: redirectURI,
	})
	if err != nil {
		h.t.Fatal(err)
	}
	landed, err := emulator.Person{}.Authorize(h.t.Context(), address.URL, emulator.Choices{})
	if err != nil {
		h.t.Fatal(err)
	}
	return landed.Query()
}

func (h *hub) exchange() (*provider.Token, error) {
	h.t.Helper()
	params := h.land()
	return h.plugin.Exchange(h.t.Context(), h.relay, "taxcom-kassa", &provider.ExchangeRequest{
		Call: h.call, Code: params.Get("code"), Params: params, RedirectURI: redirectURI,
	})
}

func (h *hub) refresh(current provider.Token) (*provider.Token, error) {
	return h.plugin.Refresh(h.t.Context(), h.relay, "taxcom-kassa", &provider.RefreshRequest{Call: h.call, Current: current})
}

func TestAGrantIsExchangedHoweverTaxcomTurnsOutToWork(t *testing.T) {
	for name, tc := range map[string]struct {
		config  taxcomkassatest.Config
		options []string
	}{
		"as it looks":                  {taxcomkassatest.Config{}, nil},
		"it reads redirect_url":        {taxcomkassatest.Config{ReadRedirectURL: true}, nil},
		"base64 without Basic":         {taxcomkassatest.Config{AcceptRawBase64: true}, []string{optionClientAuth, authRawBase64}},
		"credentials in the form":      {taxcomkassatest.Config{}, []string{optionClientAuth, authBody}},
		"expires_in in milliseconds":   {taxcomkassatest.Config{ExpiresInUnit: time.Millisecond}, []string{optionExpiresInUnit, unitMilliseconds}},
		"it does not return the state": {taxcomkassatest.Config{DropState: true}, []string{optionStateEcho, no}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHub(t, tc.config, tc.options...)
			token, err := h.exchange()
			if err != nil {
				t.Fatal(err)
			}
			if state := h.server.TokenState(token.AccessToken); state != emulator.Valid || token.RefreshToken != "" || token.TokenType != "Bearer" {
				t.Errorf("%v is %s", token, state)
			}
			if token.ExpiresIn == nil || *token.ExpiresIn != 3600000*time.Second {
				t.Errorf("it lives for %v", token.ExpiresIn)
			}
		})
	}
}

func TestATokenIsProlonged(t *testing.T) {
	for name, same := range map[string]bool{"by a new one in its place": false, "by more time for the same one": true} {
		t.Run(name, func(t *testing.T) {
			h := newHub(t, taxcomkassatest.Config{Prolong: true, ProlongSameToken: same})
			first, err := h.exchange()
			if err != nil {
				t.Fatal(err)
			}
			second, err := h.refresh(*first)
			if err != nil {
				t.Fatal(err)
			}
			if h.server.TokenState(second.AccessToken) != emulator.Valid || (second.AccessToken == first.AccessToken) != same || second.ExpiresIn == nil {
				t.Errorf("%v is %s", second, h.server.TokenState(second.AccessToken))
			}
		})
	}
}

func TestADeadTokenIsNotProlongedAndNeedsAPerson(t *testing.T) {
	h := newHub(t, taxcomkassatest.Config{Prolong: true})
	_, err := h.refresh(provider.Token{AccessToken: "00000000000000000000000000000000"})
	if provider.KindOf(err) != provider.ReauthorizationRequired {
		t.Errorf("got %v of kind %s", err, provider.KindOf(err))
	}
}

func TestAWrongWayOfClientAuthenticationIsTheOperators(t *testing.T) {
	h := newHub(t, taxcomkassatest.Config{}, optionClientAuth, authRawBase64)
	if _, err := h.exchange(); provider.KindOf(err) != provider.Blocked {
		t.Errorf("got %v of kind %s", err, provider.KindOf(err))
	}
}
