package provider_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
)

// service answers every request of an example. A plugin gets the hub's client in Call.HTTP.
type service string

func (s service) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(string(s)))}, nil
}

// answers is a call that a service answers with a body.
func answers(body string) provider.Call {
	return provider.Call{
		Service: provider.Service{Name: "shop", ClientID: "our-client", ClientSecret: "our-secret"},
		HTTP:    &http.Client{Transport: service(body)}, Now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
	}
}

// post sends a form and reads a token set, for services whose replies are like this one's.
func post(ctx context.Context, call provider.Call, address string, form url.Values) (*provider.Token, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := call.HTTP.Do(req)
	if err != nil {
		return nil, provider.Errorf(provider.Transient, "", "no reply of the service: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	var reply struct {
		Token  string `json:"token"`
		Next   string `json:"next"`
		Life   int64  `json:"life"`
		Reason string `json:"reason"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&reply); err != nil {
		return nil, provider.Errorf(provider.Transient, "", "the reply cannot be read: %w", err)
	}
	switch reply.Reason {
	case "":
		return &provider.Token{AccessToken: reply.Token, RefreshToken: reply.Next, TokenType: "Bearer", ExpiresIn: provider.Seconds(reply.Life)}, nil
	case "wrong_password", "grant_over":
		return nil, provider.Errorf(provider.ReauthorizationRequired, reply.Reason, "the service says %s", reply.Reason)
	}
	return nil, provider.Errorf(provider.Internal, reply.Reason, "the service says %s", reply.Reason)
}

// shop is a provider that is written by hand, because its service has words of its own.
// Where a service follows the RFCs, oauth.New makes it.
type shop struct{}

// Describe implements provider.Provider.
func (shop) Describe(context.Context) (*provider.Description, error) {
	return &provider.Description{
		Name: "shop", Title: provider.Text{EN: "Shop"}, Summary: provider.Text{EN: "Orders of the shop."},
		Hosts:     []provider.Host{{Pattern: "shop.example", ClientSecret: true}},
		AutoRenew: provider.AutoRenewRefreshToken, Rotation: provider.Rotation{Kind: provider.RotationRotates}, PKCE: provider.PKCES256,
		Login: provider.Schema{Options: []provider.Option{
			{Name: "login", Title: provider.Text{EN: "Login"}, Required: true},
			{Name: "password", Title: provider.Text{EN: "Password"}, Required: true, Secret: true},
		}},
		StaticKey: provider.StaticKey{Fields: provider.Schema{Options: []provider.Option{
			{Name: "key", Title: provider.Text{EN: "API key"}, Required: true, Secret: true},
		}}},
		Keys: []provider.Key{{
			Name: "robot", Use: provider.KeySignature, Title: provider.Text{EN: "Key of the robot"}, Algorithms: []string{"ES256"},
		}},
	}, nil
}

// AuthCodeURL implements provider.AuthorizationCodeGrant.
func (shop) AuthCodeURL(_ context.Context, req *provider.AuthCodeURLRequest) (*provider.AuthCodeURL, error) {
	q := url.Values{"app": {req.Service.ClientID}, "back": {req.RedirectURI}, "state": {req.State}, "code_challenge": {req.CodeChallenge}}
	return &provider.AuthCodeURL{URL: "https://shop.example/allow?" + q.Encode()}, nil
}

// Exchange implements provider.AuthorizationCodeGrant.
func (shop) Exchange(ctx context.Context, req *provider.ExchangeRequest) (*provider.Token, error) {
	return post(ctx, req.Call, "https://shop.example/token", url.Values{
		"code": {req.Code}, "verifier": {req.CodeVerifier}, "app": {req.Service.ClientID}, "secret": {req.Service.ClientSecret},
	})
}

// Refresh implements provider.Refresher.
func (shop) Refresh(ctx context.Context, req *provider.RefreshRequest) (*provider.Token, error) {
	return post(ctx, req.Call, "https://shop.example/token", url.Values{"next": {req.Current.RefreshToken}, "secret": {req.Service.ClientSecret}})
}

// Login implements provider.LoginGrant.
func (shop) Login(ctx context.Context, req *provider.LoginRequest) (*provider.Token, error) {
	return post(ctx, req.Call, "https://shop.example/login", url.Values{"login": {req.Fields.Text("login")}, "password": {req.Fields.Text("password")}})
}

// Static implements provider.StaticGrant.
func (shop) Static(_ context.Context, req *provider.StaticRequest) (*provider.Token, error) {
	return &provider.Token{AccessToken: req.Fields.Text("key"), TokenType: "Key"}, nil
}

// Assertion implements provider.AssertionGrant.
func (shop) Assertion(ctx context.Context, req *provider.AssertionRequest) (*provider.Token, error) {
	jwt, err := req.Keys.Sign(ctx, provider.SignRequest{Key: "robot", Claims: map[string]any{"iss": req.Service.ClientID, "aud": "https://shop.example"}})
	if err != nil {
		return nil, err
	}
	return post(ctx, req.Call, "https://shop.example/robot", url.Values{"assertion": {jwt}})
}

// What a provider serves follows from the interfaces that it implements.
func ExampleGrantsOf() {
	d, _ := shop{}.Describe(context.Background())
	d.Grants = provider.GrantsOf(shop{})
	fmt.Println(d.Grants, d.Validate())
	// Output: [authorization_code refresh assertion login static] <nil>
}

func ExampleAuthorizationCodeGrant() {
	call := answers(`{"token":"at","next":"rt","life":3600}`)
	address, _ := shop{}.AuthCodeURL(context.Background(), &provider.AuthCodeURLRequest{Call: call, State: "s", RedirectURI: "https://hub.example/callback/shop", CodeChallenge: "c"})
	fmt.Println(address.URL)
	token, err := shop{}.Exchange(context.Background(), &provider.ExchangeRequest{Call: call, Code: "one-time", CodeVerifier: "v"})
	fmt.Println(*token.ExpiresIn, token.RefreshToken != "", err)
	// Output:
	// https://shop.example/allow?app=our-client&back=https%3A%2F%2Fhub.example%2Fcallback%2Fshop&code_challenge=c&state=s
	// 1h0m0s true <nil>
}

// The kind of an error tells the hub who has to act: here the person who entered the login.
func ExampleLoginGrant() {
	_, err := shop{}.Login(context.Background(), &provider.LoginRequest{
		Call: answers(`{"reason":"wrong_password"}`), Fields: provider.Fields{"login": "anna", "password": "mistyped"},
	})
	fmt.Println(provider.KindOf(err), err)
	// Output: reauthorization_required the service says wrong_password (wrong_password)
}

func ExampleStaticGrant() {
	token, _ := shop{}.Static(context.Background(), &provider.StaticRequest{Fields: provider.Fields{"key": "made-at-the-shop"}})
	fmt.Println(token.TokenType, len(token.AccessToken), token.ExpiresIn == nil)
	// Output: Key 16 true
}

// hubKeys sign as the hub does; a plugin never sees a key.
type hubKeys struct{}

func (hubKeys) Sign(_ context.Context, req provider.SignRequest) (string, error) {
	fmt.Println("signed by", req.Key, "for", req.Claims["aud"])
	return "header.claims.signature", nil
}

func ExampleSigner() {
	call := answers(`{"token":"at","life":600}`)
	call.Keys = hubKeys{}
	token, err := shop{}.Assertion(context.Background(), &provider.AssertionRequest{Call: call})
	fmt.Println(*token.ExpiresIn, err)
	// Output:
	// signed by robot for https://shop.example
	// 10m0s <nil>
}

// A request that is sent with such a context proves possession of a key of the hub, or shows
// a certificate in the handshake.
func ExampleWithDPoP() {
	ctx := provider.WithDPoP(provider.WithClientCertificate(context.Background(), "certificate"), "proof")
	fmt.Println(provider.ClientCertificate(ctx), provider.DPoP(ctx))
	// Output: certificate proof
}

func ExampleErrorf() {
	err := provider.Errorf(provider.Blocked, "invalid_client", "the service refuses the client %s", "our-client")
	err.Remedy = provider.Text{EN: "Enter the client secret again.", RU: "Введите client_secret ещё раз."}
	fmt.Println(err.Kind, err)
	// Output: blocked the service refuses the client our-client (invalid_client)
}
