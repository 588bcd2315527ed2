package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/evergrant/evergrant/plugins/oauth2/oidctest"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
	"github.com/evergrant/evergrant/sdk/providertest"
)

// strangers is the provider over real gRPC, connected to oidc-provider as one of
// its clients.
type strangers struct {
	t           *testing.T
	plugin      *providerplugin.Client
	relay       *providertest.Relay
	service     provider.Service
	description *provider.Description
}

func connect(t *testing.T, issuer string, client oidctest.Client) *strangers {
	t.Helper()
	entered := map[string]any{}
	if client.Auth == "client_secret_post" { // the others go without saying
		entered[optionClientAuth] = client.Auth
	}
	return connectTo(t, issuer, client, entered)
}

// connectTo is connect with the options that an administrator has entered beside the issuer.
func connectTo(t *testing.T, issuer string, client oidctest.Client, entered map[string]any) *strangers {
	t.Helper()
	entered[optionIssuer] = issuer
	plugin, stop, err := providerplugin.InProcess(anyService{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	s := &strangers{t: t, plugin: plugin, relay: &providertest.Relay{}}
	s.service = filledIn(t, entered, "openid", "email", "offline_access")
	s.service.ClientID, s.service.ClientSecret = client.ClientID, client.ClientSecret
	prepared, err := plugin.PrepareService(t.Context(), s.relay, description.Name, &provider.PrepareServiceRequest{Call: s.call()})
	if err != nil {
		t.Fatal(err)
	}
	s.service.Data, s.description = prepared.Data, prepared.Description
	t.Cleanup(s.checkHosts)
	return s
}

// checkHosts is what the hub would have refused.
func (s *strangers) checkHosts() {
	for _, req := range s.relay.Requests() {
		u, err := url.Parse(req.URL)
		if _, ok := provider.MatchHost(s.description.Hosts, s.service, u); err != nil || !ok {
			s.t.Errorf("a request went to %s, which the description does not name", u.Host)
		}
	}
}

func (s *strangers) call() provider.Call { return provider.Call{Service: s.service, Now: time.Now()} }

// callbackOf sends a person through the pages and returns what came back, with
// the verifier and the nonce of this authorization.
func (s *strangers) callbackOf(consents bool) (params url.Values, verifier, nonce string) {
	s.t.Helper()
	verifier, nonce = rand.Text()+rand.Text(), rand.Text()
	sum := sha256.Sum256([]byte(verifier))
	address, err := s.plugin.AuthCodeURL(s.t.Context(), s.relay, description.Name, &provider.AuthCodeURLRequest{
		Call: s.call(), State: "the-state", RedirectURI: callback, Nonce: nonce, ForceConsent: true,
		CodeChallenge: base64.RawURLEncoding.EncodeToString(sum[:]),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	landed, err := oidctest.NewPerson().Authorize(s.t.Context(), address.URL, callback, consents)
	if err != nil {
		s.t.Fatal(err)
	}
	params = landed.Query()
	if params.Get("state") != "the-state" || params.Get("iss") != s.description.Issuer {
		s.t.Fatalf("the callback has the state %q and the issuer %q", params.Get("state"), params.Get("iss"))
	}
	return params, verifier, nonce
}

func (s *strangers) exchange(params url.Values, verifier, nonce string) (*provider.Token, error) {
	return s.plugin.Exchange(s.t.Context(), s.relay, description.Name, &provider.ExchangeRequest{
		Call: s.call(), Code: params.Get("code"), Params: params, RedirectURI: callback, CodeVerifier: verifier, Nonce: nonce,
	})
}

// granted is the token set of a fresh grant.
func (s *strangers) granted() *provider.Token {
	s.t.Helper()
	token, err := s.exchange(s.callbackOf(true))
	if err != nil {
		s.t.Fatal(err)
	}
	if token.RefreshToken == "" {
		s.t.Fatal("the grant came without a refresh token")
	}
	return token
}

func (s *strangers) refresh(current *provider.Token) (*provider.Token, error) {
	return s.plugin.Refresh(s.t.Context(), s.relay, description.Name, &provider.RefreshRequest{Call: s.call(), Current: *current})
}

func (s *strangers) identify(current *provider.Token) (*provider.Account, error) {
	return s.plugin.Identify(s.t.Context(), s.relay, description.Name, &provider.IdentifyRequest{Call: s.call(), Current: *current})
}

func (s *strangers) revoke(current *provider.Token) error {
	return s.plugin.Revoke(s.t.Context(), s.relay, description.Name, &provider.RevokeRequest{Call: s.call(), Current: *current})
}

// wantDead wants a grant that only a person can renew.
func (s *strangers) wantDead(what string, current *provider.Token) {
	s.t.Helper()
	if _, err := s.refresh(current); provider.KindOf(err) != provider.ReauthorizationRequired {
		s.t.Errorf("%s: the renewal gave %v, want reauthorization_required", what, err)
	}
	if account, err := s.identify(current); err == nil {
		s.t.Errorf("%s: the access token is still accepted, for %v", what, account)
	}
}

func TestAgainstAnAuthorizationServerOfStrangers(t *testing.T) {
	issuer := startOIDC(t)
	for _, client := range oidcClients {
		t.Run("a grant is made, renewed and revoked/"+client.Auth, func(t *testing.T) { liveGrant(connect(t, issuer, client), client) })
	}
	for name, test := range map[string]func(*strangers){
		"a replayed refresh token kills the family": replayedRefreshToken,
		"a replayed code kills what it gave":        replayedCode,
		"the verifier is needed":                    wrongVerifier,
		"a wrong secret ends no grant":              wrongSecret,
		"a person who goes back denies":             denied,
	} {
		t.Run(name, func(t *testing.T) { test(connect(t, issuer, oidcClients[0])) })
	}
}

func liveGrant(s *strangers, client oidctest.Client) {
	d := s.description
	if d.Issuer == "" || d.PKCE != provider.PKCERequired || !slices.Contains(names(d.Scopes), "offline_access") ||
		!slices.Contains(d.Grants, provider.GrantRevoke) || d.ClientAuth[0].Method != client.Auth {
		s.t.Errorf("discovered %+v", d)
	}
	token := s.granted()
	if *token.ExpiresIn != 5*time.Minute || token.TokenType != "Bearer" || !token.HasScopes(s.service.Scopes) || token.IDToken == "" {
		s.t.Errorf("the grant is %v of type %s with scopes %v", token, token.TokenType, token.Scopes)
	}
	for range 3 {
		next, err := s.refresh(token)
		if err != nil {
			s.t.Fatal(err)
		}
		if next.RefreshToken == "" || next.RefreshToken == token.RefreshToken || next.AccessToken == token.AccessToken {
			s.t.Fatal("the renewal did not rotate the tokens")
		}
		token = next
		if account, err := s.identify(token); err != nil || account.ID != "anna" || account.Name != "anna@example.test" {
			s.t.Errorf("the account is %v, %v", account, err)
		}
	}
	for _, again := range []string{"the grant", "a grant that is gone"} {
		if err := s.revoke(token); err != nil {
			s.t.Errorf("revoke %s: %v", again, err)
		}
	}
	s.wantDead("revoked", token)
}

func replayedRefreshToken(s *strangers) {
	first, other := s.granted(), s.granted()
	second, err := s.refresh(first)
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.identify(second); err != nil {
		s.t.Fatalf("the new access token is not accepted: %v", err)
	}
	s.wantDead("the spent refresh token", first)
	s.wantDead("its successor", second)
	if _, err := s.refresh(other); err != nil {
		s.t.Errorf("another grant of the same account died with it: %v", err)
	}
}

func replayedCode(s *strangers) {
	params, verifier, nonce := s.callbackOf(true)
	token, err := s.exchange(params, verifier, nonce)
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.exchange(params, verifier, nonce); provider.KindOf(err) != provider.ReauthorizationRequired {
		s.t.Errorf("the spent code gave %v", err)
	}
	s.wantDead("the grant of a replayed code", token)
}

func wrongVerifier(s *strangers) {
	params, _, nonce := s.callbackOf(true)
	if _, err := s.exchange(params, rand.Text()+rand.Text(), nonce); provider.KindOf(err) != provider.ReauthorizationRequired {
		s.t.Errorf("another verifier gave %v", err)
	}
}

func wrongSecret(s *strangers) {
	token, secret := s.granted(), s.service.ClientSecret
	s.service.ClientSecret = "another"
	_, err := s.refresh(token)
	if e, _ := errors.AsType[*provider.Error](err); e == nil || e.Kind != provider.Blocked || e.Code != "invalid_client" || e.Remedy.RU == "" {
		s.t.Errorf("a wrong secret gave %v", err)
	}
	s.service.ClientSecret = secret
	if _, err := s.refresh(token); err != nil {
		s.t.Errorf("the grant did not survive: %v", err)
	}
}

func denied(s *strangers) {
	params, _, _ := s.callbackOf(false)
	if params.Get("error") != "access_denied" || params.Has("code") {
		s.t.Errorf("the callback of a denial is %v", params)
	}
}

// A person enters the code of a device. Until then the hub is told to wait, and what is
// granted is renewed like any other grant.
func TestACodeIsEnteredAtAnAuthorizationServerOfStrangers(t *testing.T) {
	device := oidctest.Client{
		ClientID: "device", ClientSecret: "a secret of the device", Auth: "client_secret_basic",
		GrantTypes: []string{"urn:ietf:params:oauth:grant-type:device_code", "refresh_token"},
	}
	s := connectTo(t, startOIDC(t, device), device, map[string]any{optionGrants: grantsDevice})
	started, err := s.plugin.DeviceAuthorization(t.Context(), s.relay, description.Name, &provider.DeviceAuthorizationRequest{Call: s.call()})
	if err != nil {
		t.Fatal(err)
	}
	poll := func() (*provider.Token, error) {
		return s.plugin.DeviceToken(t.Context(), s.relay, description.Name, &provider.DeviceTokenRequest{Call: s.call(), DeviceCode: started.DeviceCode})
	}
	_, err = poll()
	if e, _ := errors.AsType[*provider.Error](err); e == nil || e.Kind != provider.Transient || e.Code != "authorization_pending" {
		t.Fatalf("before anybody has entered the code: %v", err)
	}
	if err := oidctest.NewPerson().Device(t.Context(), started.VerificationURIComplete); err != nil {
		t.Fatal(err)
	}
	token, err := poll()
	if err != nil {
		t.Fatal(err)
	}
	next, err := s.refresh(token)
	if err != nil || next.RefreshToken == token.RefreshToken {
		t.Fatalf("the renewal gave %v, %v", next, err)
	}
	if account, err := s.identify(next); err != nil || account.ID != "anna" {
		t.Errorf("the account is %v, %v", account, err)
	}
	if _, err := poll(); provider.KindOf(err) != provider.ReauthorizationRequired {
		t.Errorf("a spent code of a device gave %v", err)
	}
	s.wantDead("the grant of a replayed code", next)
}

// The hub can ask whether a refresh token is good without spending it.
func TestAnAuthorizationServerOfStrangersIsAskedAboutAGrant(t *testing.T) {
	s := connect(t, startOIDC(t), oidcClients[0])
	token := s.granted()
	ask := func() *provider.Introspection {
		found, err := s.plugin.Introspect(t.Context(), s.relay, description.Name, &provider.IntrospectRequest{Call: s.call(), Current: *token})
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	if found := ask(); found.RefreshToken != provider.Active || found.RefreshExpiresIn == nil || !slices.Contains(found.Scopes, "offline_access") {
		t.Errorf("a good grant is %+v", found)
	}
	if err := s.revoke(token); err != nil {
		t.Fatal(err)
	}
	if found := ask(); found.RefreshToken != provider.Inactive || found.RefreshExpiresIn != nil {
		t.Errorf("a revoked grant is %+v", found)
	}
}
