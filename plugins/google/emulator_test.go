package main

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/plugins/emulator"
	"github.com/evergrant/evergrant/plugins/google/googletest"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
	"github.com/evergrant/evergrant/sdk/providertest"
)

const (
	callback = "https://hub.example/callback/calendar"
	verifier = "a-verifier-of-at-least-forty-three-characters-long"
	full     = scopePrefix + "calendar"
)

// connected is the provider over real gRPC, beside an emulated Google.
type connected struct {
	t       *testing.T
	google  *googletest.Server
	plugin  *providerplugin.Client
	relay   *providertest.Relay
	service provider.Service
	hosts   []provider.Host
}

func connect(t *testing.T, config googletest.Config, entered map[string]any) *connected {
	t.Helper()
	config.Clients = []googletest.Client{{ClientID: "client", ClientSecret: "secret", RedirectURIs: []string{callback}}}
	c := &connected{t: t, google: googletest.New(config), relay: &providertest.Relay{}}
	if err := c.google.Start(""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.google.Close() })
	plugin, stop, err := providerplugin.InProcess(newProvider())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	all := map[string]any{optionBase: c.google.URL}
	maps.Copy(all, entered)
	c.plugin, c.service = plugin, withOptions(t, all, full)
	prepared, err := plugin.PrepareService(t.Context(), c.relay, description.Name, &provider.PrepareServiceRequest{Call: c.call()})
	if err != nil {
		t.Fatal(err)
	}
	c.hosts = prepared.Description.Hosts
	t.Cleanup(c.checkHosts)
	return c
}

// checkHosts is what the hub would have refused.
func (c *connected) checkHosts() {
	for _, req := range c.relay.Requests() {
		u, err := url.Parse(req.URL)
		if _, ok := provider.MatchHost(c.hosts, c.service, u); err != nil || !ok {
			c.t.Errorf("a request went to %s, which the description does not name", u.Host)
		}
	}
}

func (c *connected) call() provider.Call { return provider.Call{Service: c.service, Now: time.Now()} }

// authorize sends a person through the consent page and spends the code.
func (c *connected) authorize(force bool, choices emulator.Choices) *provider.Token {
	c.t.Helper()
	sum := sha256.Sum256([]byte(verifier))
	address, err := c.plugin.AuthCodeURL(c.t.Context(), c.relay, description.Name, &provider.AuthCodeURLRequest{
		Call: c.call(), State: "the-state", RedirectURI: callback, Nonce: "the-nonce", ForceConsent: force,
		CodeChallenge: base64.RawURLEncoding.EncodeToString(sum[:]),
	})
	if err != nil {
		c.t.Fatal(err)
	}
	landed, err := emulator.Person{}.Authorize(c.t.Context(), address.URL, choices)
	if err != nil {
		c.t.Fatal(err)
	}
	params := landed.Query()
	if params.Get("state") != "the-state" || !strings.HasPrefix(landed.String(), callback+"?") {
		c.t.Fatalf("the person landed at %s", landed.Redacted())
	}
	token, err := c.plugin.Exchange(c.t.Context(), c.relay, description.Name, &provider.ExchangeRequest{
		Call: c.call(), Code: params.Get("code"), Params: params, RedirectURI: callback, CodeVerifier: verifier, Nonce: "the-nonce",
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return token
}

func (c *connected) refresh(current *provider.Token) (*provider.Token, error) {
	return c.plugin.Refresh(c.t.Context(), c.relay, description.Name, &provider.RefreshRequest{Call: c.call(), Current: *current})
}

func (c *connected) revoke(current *provider.Token) error {
	return c.plugin.Revoke(c.t.Context(), c.relay, description.Name, &provider.RevokeRequest{Call: c.call(), Current: *current})
}

func TestAPersonConnectsTheirCalendarAndItIsRenewedAndRevoked(t *testing.T) {
	c := connect(t, googletest.Config{}, nil)
	first := c.authorize(true, emulator.Choices{})
	if first.RefreshToken == "" || !first.HasScopes([]string{full}) || *first.ExpiresIn != time.Hour {
		t.Fatalf("the grant is %v with scopes %v", first, first.Scopes)
	}
	account, err := c.plugin.Identify(t.Context(), c.relay, description.Name, &provider.IdentifyRequest{Call: c.call(), Current: *first})
	if err != nil || account.Name != "anna@example.test" || account.ID == "" || account.ID == account.Name {
		t.Errorf("the account is %v, %v", account, err)
	}
	for range 2 { // a lost reply may be asked for again
		next, err := c.refresh(first)
		if err != nil || next.RefreshToken != "" || next.AccessToken == first.AccessToken || c.google.TokenState(next.AccessToken) != emulator.Valid {
			t.Fatalf("the renewal gave %v, %v", next, err)
		}
	}
	for _, again := range []string{"the grant", "a grant that is gone"} {
		if err := c.revoke(first); err != nil {
			t.Errorf("revoke %s: %v", again, err)
		}
	}
	if c.google.TokenState(first.AccessToken) == emulator.Valid {
		t.Error("the access token outlived the revocation")
	}
	_, err = c.refresh(first)
	if e, _ := errors.AsType[*provider.Error](err); e == nil || e.Kind != provider.ReauthorizationRequired || e.Remedy.RU == "" {
		t.Errorf("a revoked grant gave %v", err)
	}
}

func TestWithoutConsentALaterGrantHasNoRefreshToken(t *testing.T) {
	c := connect(t, googletest.Config{}, nil)
	for _, test := range []struct{ force, refresh bool }{{false, true}, {false, false}, {true, true}} {
		token := c.authorize(test.force, emulator.Choices{})
		if got := token.RefreshToken != ""; got != test.refresh {
			t.Errorf("consent forced is %t: a refresh token came is %t", test.force, got)
		}
	}
}

func TestAGrantWithoutRefreshTokenIsRevokedByItsAccessToken(t *testing.T) {
	c := connect(t, googletest.Config{}, nil)
	c.authorize(false, emulator.Choices{})
	token := c.authorize(false, emulator.Choices{})
	if err := c.revoke(token); err != nil || c.google.TokenState(token.AccessToken) == emulator.Valid {
		t.Errorf("the token is %s after revocation: %v", c.google.TokenState(token.AccessToken), err)
	}
	if _, err := c.refresh(token); provider.KindOf(err) != provider.ReauthorizationRequired {
		t.Errorf("a renewal without refresh token gave %v", err)
	}
}

func TestAnUntickedScopeIsMissingFromTheGrant(t *testing.T) {
	c := connect(t, googletest.Config{}, nil)
	token := c.authorize(true, emulator.Choices{UntickScopes: []string{full}})
	if token.Scopes == nil || token.HasScopes([]string{full}) {
		t.Errorf("the calendar was unticked, the grant has %v", token.Scopes)
	}
}

func TestTheCalendarAloneCanBeAskedFor(t *testing.T) {
	c := connect(t, googletest.Config{}, map[string]any{optionAccount: false})
	token := c.authorize(true, emulator.Choices{})
	if len(token.Scopes) != 1 || token.IDToken != "" {
		t.Errorf("the grant has %v", token.Scopes)
	}
	sent := len(c.relay.Requests())
	_, err := c.plugin.Identify(t.Context(), c.relay, description.Name, &provider.IdentifyRequest{Call: c.call(), Current: *token})
	if e, _ := errors.AsType[*provider.Error](err); e == nil || e.Kind != provider.Blocked || e.Option != optionAccount {
		t.Errorf("the account of a grant without sign-in gave %v", err)
	}
	if len(c.relay.Requests()) != sent {
		t.Error("userinfo was asked although it can only refuse")
	}
}

func TestAnAppInTestingIsToldWhenItsGrantEnds(t *testing.T) {
	c := connect(t, googletest.Config{RefreshTTL: testingLife}, map[string]any{optionPublishing: inTesting})
	token := c.authorize(true, emulator.Choices{})
	if token.RefreshExpiresIn == nil || *token.RefreshExpiresIn != testingLife {
		t.Errorf("the refresh token lives for %v", token.RefreshExpiresIn)
	}
}

func TestAWrongSecretEndsNoGrant(t *testing.T) {
	c := connect(t, googletest.Config{}, nil)
	token := c.authorize(true, emulator.Choices{})
	c.service.ClientSecret = "another"
	_, err := c.refresh(token)
	if e, _ := errors.AsType[*provider.Error](err); e == nil || e.Kind != provider.Blocked || e.Remedy.RU == "" {
		t.Errorf("a wrong secret gave %v", err)
	}
	c.service.ClientSecret = "secret"
	if _, err := c.refresh(token); err != nil {
		t.Errorf("the grant did not survive: %v", err)
	}
}
