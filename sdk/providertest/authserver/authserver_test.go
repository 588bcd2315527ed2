package authserver_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/evergrant/evergrant/sdk/oauth"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providertest/authserver"
)

// client is a provider that is pointed at a server, and a person with a browser.
type client struct {
	t      *testing.T
	server *authserver.Server
	url    string
	p      flow
	scopes []string
}

type flow interface {
	provider.AuthorizationCodeGrant
	provider.Refresher
	provider.Revoker
	provider.Identifier
}

func start(t *testing.T, config authserver.Config) *client {
	t.Helper()
	s := authserver.New(config)
	address, err := s.Start("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return &client{t: t, server: s, url: address, scopes: []string{"openid", "mail"}, p: providerAt(t, address, oauth.AuthBasic)}
}

func providerAt(t *testing.T, address string, auth oauth.ClientAuth) flow {
	t.Helper()
	p, ok := oauth.New(oauth.Config{
		AuthURL: address + "/authorize", TokenURL: address + "/token",
		RevokeURL: address + "/revoke", UserinfoURL: address + "/userinfo", Auth: auth,
	}).(flow)
	if !ok {
		t.Fatal("the provider does not serve what its Config asks for")
	}
	return p
}

func (c *client) call() provider.Call {
	return provider.Call{
		HTTP: http.DefaultClient, Now: time.Now(),
		Service: provider.Service{Name: "acme", ClientID: "client", ClientSecret: "secret", Scopes: c.scopes},
	}
}

const (
	callback = "https://hub.example/callback/acme"
	verifier = "a-verifier-of-at-least-forty-three-characters-long"
)

// authorize walks through the page and returns the callback's parameters.
func (c *client) authorize(form url.Values) url.Values {
	c.t.Helper()
	sum := sha256.Sum256([]byte(verifier))
	u, err := c.p.AuthCodeURL(c.t.Context(), &provider.AuthCodeURLRequest{
		Call: c.call(), State: "the-state", RedirectURI: callback, Nonce: "the-nonce",
		CodeChallenge: base64.RawURLEncoding.EncodeToString(sum[:]),
	})
	if err != nil {
		c.t.Fatal(err)
	}
	page := c.get(u.URL)
	if !strings.Contains(page, `name="login"`) || !strings.Contains(page, "<li>mail</li>") {
		c.t.Fatalf("the page does not ask for a login and does not show the scopes:\n%s", page)
	}
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := browser.PostForm(u.URL, form)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	back, err := response.Location()
	if err != nil {
		c.t.Fatalf("status %d without a redirect", response.StatusCode)
	}
	return back.Query()
}

func (c *client) get(address string) string {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return string(body)
}

func anna(decision string) url.Values {
	return url.Values{"login": {"anna@example.test"}, "password": {"anna"}, "decision": {decision}}
}

func (c *client) exchange(params url.Values, verifier string) (*provider.Token, error) {
	return c.p.Exchange(c.t.Context(), &provider.ExchangeRequest{
		Call: c.call(), Code: params.Get("code"), Params: params, RedirectURI: callback, CodeVerifier: verifier, Nonce: "the-nonce",
	})
}

func (c *client) refresh(t *provider.Token) (*provider.Token, error) {
	return c.p.Refresh(c.t.Context(), &provider.RefreshRequest{Call: c.call(), Current: *t})
}

// granted is a token set of a fresh grant.
func (c *client) granted() *provider.Token {
	c.t.Helper()
	token, err := c.exchange(c.authorize(anna("allow")), verifier)
	if err != nil {
		c.t.Fatal(err)
	}
	return token
}

func TestAPersonAuthorizesAndTheGrantIsRenewedAndRevoked(t *testing.T) {
	c := start(t, authserver.Config{RequirePKCE: true, RevokeAccessOnRotation: true})
	params := c.authorize(anna("allow"))
	if params.Get("state") != "the-state" || params.Get("iss") != c.url {
		t.Errorf("the callback has state %q and iss %q", params.Get("state"), params.Get("iss"))
	}
	first, err := c.exchange(params, verifier)
	if err != nil {
		t.Fatal(err)
	}
	account, err := c.p.Identify(t.Context(), &provider.IdentifyRequest{Call: c.call(), Current: *first})
	if err != nil || account.Name != "anna@example.test" {
		t.Errorf("the account is %v, %v", account, err)
	}
	second, err := c.refresh(first)
	if err != nil || second.RefreshToken == first.RefreshToken {
		t.Fatalf("the renewal gave %v, %v", second, err)
	}
	if c.server.TokenState(first.AccessToken) != authserver.Revoked || c.server.TokenState(second.AccessToken) != authserver.Valid {
		t.Error("the rotation did not move the grant to the second access token")
	}
	if err := c.p.Revoke(t.Context(), &provider.RevokeRequest{Call: c.call(), Current: *second}); err != nil {
		t.Fatal(err)
	}
	if c.server.TokenState(second.AccessToken) != authserver.Revoked || c.server.DoubleSpent() != 0 {
		t.Error("the grant outlived its revocation")
	}
	if c.server.TokenRequests("") != 2 || c.server.Families()[0].Generation != 2 {
		t.Errorf("%d token requests, families %v", c.server.TokenRequests(""), c.server.Families())
	}
}

func TestARefreshTokenThatComesBackKillsItsFamily(t *testing.T) {
	c := start(t, authserver.Config{})
	first, other := c.granted(), c.granted()
	second, err := c.refresh(first)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.refresh(first); provider.KindOf(err) != provider.ReauthorizationRequired {
		t.Errorf("a spent refresh token gave %v", err)
	}
	if _, err := c.refresh(second); provider.KindOf(err) != provider.ReauthorizationRequired {
		t.Errorf("the family lives on: %v", err)
	}
	if c.server.DoubleSpent() != 1 || c.server.TokenState(other.AccessToken) != authserver.Valid {
		t.Errorf("%d tokens were spent twice; the other grant is %s", c.server.DoubleSpent(), c.server.TokenState(other.AccessToken))
	}
}

func TestOfManyRenewalsWithOneRefreshTokenOneWins(t *testing.T) {
	c := start(t, authserver.Config{})
	first := c.granted()
	var all sync.WaitGroup
	won := make(chan struct{}, 8)
	for range 8 {
		all.Go(func() {
			if _, err := c.refresh(first); err == nil {
				won <- struct{}{}
			}
		})
	}
	all.Wait()
	if len(won) != 1 || c.server.DoubleSpent() != 7 {
		t.Errorf("%d renewals won, %d tokens were spent twice", len(won), c.server.DoubleSpent())
	}
}

func TestACodeIsGoodOnceForItsVerifierAndRedirectURI(t *testing.T) {
	c := start(t, authserver.Config{})
	params := c.authorize(anna("allow"))
	if _, err := c.exchange(params, "another-verifier"); provider.KindOf(err) != provider.ReauthorizationRequired {
		t.Errorf("a wrong verifier gave %v", err)
	}
	if _, err := c.exchange(params, verifier); err == nil || c.server.DoubleSpent() != 1 {
		t.Errorf("a spent code gave %v", err)
	}
	_, err := c.p.Exchange(t.Context(), &provider.ExchangeRequest{
		Call: c.call(), Code: c.authorize(anna("allow")).Get("code"), RedirectURI: callback + "/other", CodeVerifier: verifier,
	})
	if err == nil {
		t.Error("another redirect_uri was accepted")
	}
}

func TestSecretsExpireByTheServersClock(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s := authserver.New(authserver.Config{
		AccessTokenLife: time.Hour, RefreshTokenLife: 2 * time.Hour, Now: func() time.Time { return now },
	})
	granted := s.Grant(authserver.DefaultAccounts()[0], "mail")
	now = now.Add(time.Hour - 1)
	if s.TokenState(granted.Access) != authserver.Valid {
		t.Error("the access token ended too early")
	}
	s.SetClockSkew(time.Minute)
	if s.TokenState(granted.Access) != authserver.Expired {
		t.Error("a server whose clock runs ahead still accepts the token")
	}
	now = now.Add(time.Hour)
	if s.RefreshTokenState(granted.Refresh) != authserver.Expired {
		t.Error("the refresh token lives on")
	}
}

func TestThePersonMayDenyOrMistypeThePassword(t *testing.T) {
	c := start(t, authserver.Config{})
	if params := c.authorize(anna("deny")); params.Get("error") != "access_denied" || params.Get("state") != "the-state" {
		t.Errorf("a denial came back as %v", params)
	}
	form := anna("allow")
	form.Set("password", "wrong")
	response, err := http.PostForm(c.url+"/authorize?client_id=client&response_type=code&redirect_uri="+url.QueryEscape(callback), form)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if response.StatusCode != http.StatusForbidden || !strings.Contains(string(body), "password is wrong") {
		t.Errorf("a wrong password gave %d", response.StatusCode)
	}
}

func TestRequestsThatCannotBeTrustedAreNotRedirected(t *testing.T) {
	c := start(t, authserver.Config{RedirectURIs: []string{callback}, RequirePKCE: true})
	for query, want := range map[string]string{
		"client_id=other&response_type=code&redirect_uri=" + callback:           "no such client_id",
		"client_id=client&response_type=code&redirect_uri=https://evil.example": "redirect_uri is not registered",
		"client_id=client&response_type=code&redirect_uri=javascript:alert(1)":  "redirect_uri is not registered",
	} {
		if body := c.get(c.url + "/authorize?" + query); !strings.Contains(body, want) {
			t.Errorf("%s: got %q", query, body)
		}
	}
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := browser.Get(c.url + "/authorize?client_id=client&response_type=code&redirect_uri=" + callback)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if back, err := response.Location(); err != nil || back.Query().Get("error") != "invalid_request" {
		t.Errorf("a request without PKCE came back as %v, %v", back, err)
	}
}

func TestAWrongSecretBlocksAndKillsNothing(t *testing.T) {
	c := start(t, authserver.Config{})
	token := c.granted()
	call := c.call()
	call.Service.ClientSecret = "wrong"
	for _, auth := range []oauth.ClientAuth{oauth.AuthBasic, oauth.AuthPost} {
		_, err := providerAt(t, c.url, auth).Refresh(t.Context(), &provider.RefreshRequest{Call: call, Current: *token})
		if provider.KindOf(err) != provider.Blocked {
			t.Errorf("%s: got %v", auth, err)
		}
	}
	if _, err := c.refresh(token); err != nil {
		t.Errorf("the grant did not survive: %v", err)
	}
}

func TestTheIDTokenIsSignedWithThePublishedKey(t *testing.T) {
	c := start(t, authserver.Config{})
	parts := strings.Split(c.granted().IDToken, ".")
	var keys struct {
		Keys []struct{ X, Y string } `json:"keys"`
	}
	if err := json.Unmarshal([]byte(c.get(c.url+"/jwks")), &keys); err != nil || len(parts) != 3 {
		t.Fatal(err, len(parts))
	}
	point := []byte{4} // uncompressed
	for _, coordinate := range []string{keys.Keys[0].X, keys.Keys[0].Y} {
		b, err := base64.RawURLEncoding.DecodeString(coordinate)
		if err != nil {
			t.Fatal(err)
		}
		point = append(point, b...)
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || len(signature) != 64 {
		t.Fatal("the signature is broken")
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if !ecdsa.Verify(key, sum[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) {
		t.Error("the ID token is not signed with the key of /jwks")
	}
}

func TestDiscoveryNamesTheEndpoints(t *testing.T) {
	c := start(t, authserver.Config{})
	for _, path := range []string{"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"} {
		var doc map[string]any
		if err := json.Unmarshal([]byte(c.get(c.url+path)), &doc); err != nil {
			t.Fatal(err)
		}
		if doc["issuer"] != c.url || doc["token_endpoint"] != c.url+"/token" {
			t.Errorf("%s says %v", path, doc)
		}
	}
}

func TestAServerMayKeepItsRefreshTokens(t *testing.T) {
	c := start(t, authserver.Config{KeepRefreshToken: true})
	token := c.granted()
	for range 2 {
		next, err := c.refresh(token)
		if err != nil || next.RefreshToken != "" {
			t.Errorf("got %v, %v", next, err)
		}
	}
	c.server.RevokeFamily(0)
	if _, err := c.refresh(token); provider.KindOf(err) != provider.ReauthorizationRequired {
		t.Errorf("a withdrawn grant gave %v", err)
	}
}
