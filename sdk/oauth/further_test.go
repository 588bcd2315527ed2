package oauth_test

import (
	"context"
	"net/url"
	"reflect"
	"testing"
	"time"

	"github.com/evergrant/evergrant/sdk/oauth"
	"github.com/evergrant/evergrant/sdk/provider"
)

// further is a service with every endpoint.
var further = oauth.Config{
	Description: provider.Description{Name: "acme"},
	AuthURL:     "https://acme.example/authorize", TokenURL: "https://acme.example/token",
	PushedURL: "https://acme.example/par", DeviceURL: "https://acme.example/device", IntrospectURL: "https://acme.example/introspect",
	Auth: oauth.AuthPost, Resources: []string{"https://api.example"},
	Assertion: func(call provider.Call) (provider.SignRequest, error) {
		return provider.SignRequest{Key: "robot", Claims: map[string]any{"iss": call.Service.ClientID}, Lifetime: 5 * time.Minute}, nil
	},
}

// signed keeps what it is asked to sign.
type signed struct{ requests []provider.SignRequest }

// Sign implements provider.Signer.
func (s *signed) Sign(_ context.Context, req provider.SignRequest) (string, error) {
	s.requests = append(s.requests, req)
	return "a-jwt", nil
}

// callOf is a call that a answers and s signs for.
func callOf(a *answer, s *signed) provider.Call {
	return provider.Call{
		Service: provider.Service{Name: "acme", ClientID: "client", ClientSecret: secret, Scopes: []string{"parcels"}}, HTTP: a.client(), Keys: s, Now: now,
	}
}

func only(t *testing.T, a *answer) (address string, form url.Values) {
	t.Helper()
	if len(a.bodies) != 1 {
		t.Fatalf("%d requests were sent, want 1", len(a.bodies))
	}
	form, err := url.ParseQuery(a.bodies[0])
	if err != nil {
		t.Fatal(err)
	}
	return a.requests[0].URL.String(), form
}

func has(t *testing.T, form url.Values, want map[string]string) {
	t.Helper()
	for name, value := range want {
		if form.Get(name) != value {
			t.Errorf("%s is %q, want %q", name, form.Get(name), value)
		}
	}
}

func TestAnAuthorizationRequestIsSentAhead(t *testing.T) {
	for name, test := range map[string]struct {
		answer answer
		kind   provider.Kind
		good   bool
	}{
		"taken":           {answer{status: 201, body: `{"request_uri":"urn:example:1","expires_in":60}`}, 0, true},
		"without address": {answer{status: 201, body: `{"expires_in":60}`}, provider.Internal, false},
		"wrong client":    {answer{status: 401, body: `{"error":"invalid_client"}`}, provider.Blocked, false},
		"outage":          {answer{status: 503}, provider.Transient, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := oauth.New(further).(provider.AuthorizationCodeGrant)
			got, err := p.AuthCodeURL(t.Context(), &provider.AuthCodeURLRequest{Call: callOf(&test.answer, nil), State: "the-state", RedirectURI: "https://hub.example/cb", CodeChallenge: "the-challenge"})
			address, form := only(t, &test.answer)
			if address != further.PushedURL || len(form["client_id"]) != 1 {
				t.Errorf("%s got %v", address, form)
			}
			has(t, form, map[string]string{"response_type": "code", "state": "the-state", "redirect_uri": "https://hub.example/cb", "scope": "parcels", "resource": "https://api.example", "client_id": "client", "client_secret": secret})
			if !test.good {
				if provider.KindOf(err) != test.kind || err == nil {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			u, _ := url.Parse(got.URL)
			if q := u.Query(); len(q) != 2 || q.Get("client_id") != "client" || q.Get("request_uri") != "urn:example:1" {
				t.Errorf("the browser is sent to %s", got.URL)
			}
		})
	}
}

func TestADeviceIsAuthorized(t *testing.T) {
	want := provider.DeviceAuthorization{DeviceCode: "d", UserCode: "U", VerificationURI: "https://acme.example/activate", ExpiresIn: 10 * time.Minute, Interval: 5 * time.Second}
	complete := want
	complete.VerificationURIComplete = "https://acme.example/activate?code=U"
	for name, test := range map[string]struct {
		body string
		want *provider.DeviceAuthorization
	}{
		"RFC 8628":            {`{"device_code":"d","user_code":"U","verification_uri":"https://acme.example/activate","verification_uri_complete":"https://acme.example/activate?code=U","expires_in":600,"interval":5}`, &complete},
		"as Google names it":  {`{"device_code":"d","user_code":"U","verification_url":"https://acme.example/activate","expires_in":600,"interval":5}`, &want},
		"times as text":       {`{"device_code":"d","user_code":"U","verification_uri":"https://acme.example/activate","expires_in":"600","interval":"5"}`, &want},
		"no code of a person": {`{"device_code":"d","verification_uri":"https://acme.example/activate","expires_in":600}`, nil},
		"no address":          {`{"device_code":"d","user_code":"U","expires_in":600}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			a := &answer{status: 200, body: test.body}
			got, err := oauth.New(further).(provider.DeviceGrant).DeviceAuthorization(t.Context(), &provider.DeviceAuthorizationRequest{Call: callOf(a, nil)})
			address, form := only(t, a)
			has(t, form, map[string]string{"scope": "parcels", "resource": "https://api.example", "client_id": "client"})
			switch {
			case address != further.DeviceURL:
				t.Errorf("asked %s", address)
			case test.want == nil:
				if err == nil || provider.KindOf(err) != provider.Internal {
					t.Errorf("got %v, %v", got, err)
				}
			case err != nil || !reflect.DeepEqual(got, test.want):
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

func TestWhatPollingForADeviceMeans(t *testing.T) {
	for code, want := range map[string]provider.Kind{
		"authorization_pending": provider.Transient, "slow_down": provider.Transient,
		"access_denied": provider.Denied, "expired_token": provider.ReauthorizationRequired,
		"invalid_grant": provider.ReauthorizationRequired, "invalid_client": provider.Blocked,
	} {
		a := &answer{status: 400, body: `{"error":"` + code + `"}`}
		_, err := oauth.New(further).(provider.DeviceGrant).DeviceToken(t.Context(), &provider.DeviceTokenRequest{Call: callOf(a, nil), DeviceCode: "d"})
		if provider.KindOf(err) != want {
			t.Errorf("%s gave %v, want %v", code, err, want)
		}
	}
	a := &answer{status: 200, body: `{"access_token":"a","token_type":"Bearer","refresh_token":"r","expires_in":60}`}
	token, err := oauth.New(further).(provider.DeviceGrant).DeviceToken(t.Context(), &provider.DeviceTokenRequest{Call: callOf(a, nil), DeviceCode: "d"})
	if err != nil || token.RefreshToken != "r" {
		t.Errorf("got %v, %v", token, err)
	}
	_, form := only(t, a)
	has(t, form, map[string]string{"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": "d"})
}

func TestATokenIsAskedAbout(t *testing.T) {
	hour := time.Hour
	for name, test := range map[string]struct {
		body    string
		current provider.Token
		want    *provider.Introspection
	}{
		"refresh token":      {`{"active":true,"scope":"a b","exp":1772370000}`, provider.Token{AccessToken: "at", RefreshToken: "rt"}, &provider.Introspection{RefreshToken: provider.Active, RefreshExpiresIn: &hour, Scopes: []string{"a", "b"}}},
		"access token":       {`{"active":true,"exp":1772370000}`, provider.Token{AccessToken: "at"}, &provider.Introspection{AccessToken: provider.Active, ExpiresIn: &hour}},
		"over":               {`{"active":false,"exp":1772370000}`, provider.Token{AccessToken: "at", RefreshToken: "rt"}, &provider.Introspection{RefreshToken: provider.Inactive}},
		"without an end":     {`{"active":true}`, provider.Token{AccessToken: "at", RefreshToken: "rt"}, &provider.Introspection{RefreshToken: provider.Active}},
		"not said":           {`{"exp":1772370000}`, provider.Token{AccessToken: "at"}, nil},
		"said with a string": {`{"active":"true"}`, provider.Token{AccessToken: "at"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			a := &answer{status: 200, body: test.body}
			got, err := oauth.New(further).(provider.Introspector).Introspect(t.Context(), &provider.IntrospectRequest{Call: callOf(a, nil), Current: test.current})
			address, form := only(t, a)
			hint, token := "access_token", "at"
			if test.current.RefreshToken != "" {
				hint, token = "refresh_token", "rt"
			}
			has(t, form, map[string]string{"token": token, "token_type_hint": hint, "client_id": "client"})
			if address != further.IntrospectURL {
				t.Errorf("asked %s", address)
			}
			if test.want == nil {
				if err == nil || provider.KindOf(err) != provider.Internal {
					t.Errorf("got %+v, %v", got, err)
				}
				return
			}
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

func TestAnAssertionIsTheGrant(t *testing.T) {
	a, s := &answer{status: 200, body: `{"access_token":"a","token_type":"Bearer","expires_in":60}`}, &signed{}
	if _, err := oauth.New(further).(provider.AssertionGrant).Assertion(t.Context(), &provider.AssertionRequest{Call: callOf(a, s)}); err != nil {
		t.Fatal(err)
	}
	_, form := only(t, a)
	has(t, form, map[string]string{"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": "a-jwt"})
	if len(s.requests) != 1 || s.requests[0].Key != "robot" || s.requests[0].Claims["iss"] != "client" || s.requests[0].Lifetime != 5*time.Minute {
		t.Errorf("signed %+v", s.requests)
	}
}
