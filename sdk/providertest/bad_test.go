package providertest

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evergrant/evergrant/sdk/oauth"
	"github.com/evergrant/evergrant/sdk/provider"
)

// bad is a provider that keeps the contract but for what a test replaces.
type bad struct {
	served
	describe func(*provider.Description)
	address  func(*provider.AuthCodeURLRequest, *provider.AuthCodeURL)
	refresh  func(context.Context, *provider.RefreshRequest, provider.Refresher) (*provider.Token, error)
	exchange func(context.Context, *provider.ExchangeRequest, provider.AuthorizationCodeGrant) (*provider.Token, error)
}

type served interface {
	provider.Provider
	provider.AuthorizationCodeGrant
	provider.Refresher
}

func (b bad) Describe(ctx context.Context) (*provider.Description, error) {
	d, err := b.served.Describe(ctx)
	if b.describe != nil {
		b.describe(d)
	}
	return d, err
}

func (b bad) AuthCodeURL(ctx context.Context, req *provider.AuthCodeURLRequest) (*provider.AuthCodeURL, error) {
	u, err := b.served.AuthCodeURL(ctx, req)
	if b.address != nil {
		b.address(req, u)
	}
	return u, err
}

func (b bad) Refresh(ctx context.Context, req *provider.RefreshRequest) (*provider.Token, error) {
	if b.refresh != nil {
		return b.refresh(ctx, req, b.served)
	}
	return b.served.Refresh(ctx, req)
}

func (b bad) Exchange(ctx context.Context, req *provider.ExchangeRequest) (*provider.Token, error) {
	if b.exchange != nil {
		return b.exchange(ctx, req, b.served)
	}
	return b.served.Exchange(ctx, req)
}

// kindly changes the kind of every error.
func kindly(change func(*provider.Error)) func(context.Context, *provider.RefreshRequest, provider.Refresher) (*provider.Token, error) {
	return func(ctx context.Context, req *provider.RefreshRequest, good provider.Refresher) (*provider.Token, error) {
		token, err := good.Refresh(ctx, req)
		if e, ok := err.(*provider.Error); ok { //nolint:errorlint // what oauth returns is known
			change(e)
		}
		return token, err
	}
}

// post sends a token request by hand and returns the body.
func post(ctx context.Context, call provider.Call, address string, form url.Values) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	response, err := call.HTTP.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}

const tokenURL = "https://acme.example/token"

func refreshForm(req *provider.RefreshRequest) url.Values {
	return url.Values{
		"grant_type": {"refresh_token"}, "refresh_token": {req.Current.RefreshToken},
		"client_id": {req.Service.ClientID}, "client_secret": {req.Service.ClientSecret},
	}
}

// breakers are providers that break one promise each, by the check's name.
func breakers() map[string]bad {
	var crossed atomic.Pointer[provider.Token]
	return map[string]bad{
		"description": {describe: func(d *provider.Description) { d.Title.RU = "" }},
		"authorization-address": {address: func(_ *provider.AuthCodeURLRequest, u *provider.AuthCodeURL) {
			u.URL = strings.Replace(u.URL, "acme.example", "elsewhere.example", 1)
		}},
		"one-request": {refresh: func(ctx context.Context, req *provider.RefreshRequest, good provider.Refresher) (*provider.Token, error) {
			_, _ = good.Refresh(ctx, req)
			return good.Refresh(ctx, req)
		}},
		"no-retry": {refresh: func(ctx context.Context, req *provider.RefreshRequest, good provider.Refresher) (*provider.Token, error) {
			token, err := good.Refresh(ctx, req)
			if provider.KindOf(err) == provider.Transient {
				return good.Refresh(ctx, req)
			}
			return token, err
		}},
		"lifetime": {refresh: func(ctx context.Context, req *provider.RefreshRequest, good provider.Refresher) (*provider.Token, error) {
			token, err := good.Refresh(ctx, req)
			if token != nil && token.ExpiresIn != nil {
				*token.ExpiresIn *= 1000 // taken for milliseconds
			}
			return token, err
		}},
		"small-extra": {refresh: func(ctx context.Context, req *provider.RefreshRequest, good provider.Refresher) (*provider.Token, error) {
			token, err := good.Refresh(ctx, req)
			if token != nil {
				token.Extra = map[string]any{"page": strings.Repeat("x", 900<<10)}
			}
			return token, err
		}},
		"parts": {refresh: func(ctx context.Context, req *provider.RefreshRequest, good provider.Refresher) (*provider.Token, error) {
			token, err := good.Refresh(ctx, req)
			if token != nil {
				token.Parts = []provider.PartToken{{Part: "user", Token: provider.Token{AccessToken: "of-the-user"}}}
			}
			return token, err
		}},
		"outage":      {refresh: kindly(func(e *provider.Error) { e.Kind = provider.ReauthorizationRequired })},
		"retry-after": {refresh: kindly(func(e *provider.Error) { e.RetryAfter = 0 })},
		"malformed-reply": {refresh: func(ctx context.Context, req *provider.RefreshRequest, good provider.Refresher) (*provider.Token, error) {
			token, err := good.Refresh(ctx, req)
			if provider.KindOf(err) == provider.Internal && err != nil {
				token, err = &req.Current, nil
			}
			return token, err
		}},
		"who-has-to-act": {refresh: kindly(func(e *provider.Error) {
			if e.Kind == provider.Blocked {
				e.Kind = provider.ReauthorizationRequired
			}
		})},
		"no-secret-in-errors": {refresh: func(ctx context.Context, req *provider.RefreshRequest, _ provider.Refresher) (*provider.Token, error) {
			body, err := post(ctx, req.Call, tokenURL, refreshForm(req))
			return nil, provider.Errorf(provider.Transient, "", "the service said %s: %v", body, err)
		}},
		"no-secret-in-logs": {refresh: func(ctx context.Context, req *provider.RefreshRequest, good provider.Refresher) (*provider.Token, error) {
			slog.Info("refreshing", "token", req.Current.RefreshToken)
			return good.Refresh(ctx, req)
		}},
		"declared-hosts": {refresh: func(ctx context.Context, req *provider.RefreshRequest, good provider.Refresher) (*provider.Token, error) {
			_, _ = post(ctx, req.Call, "https://api.acme.example/hello", url.Values{"client_secret": {req.Service.ClientSecret}})
			return good.Refresh(ctx, req)
		}},
		"hostile-callback": {exchange: func(ctx context.Context, req *provider.ExchangeRequest, good provider.AuthorizationCodeGrant) (*provider.Token, error) {
			_, _ = post(ctx, req.Call, "https://"+req.Params.Get("server_domain")+"/token", url.Values{"client_secret": {req.Service.ClientSecret}})
			return good.Exchange(ctx, req)
		}},
		"cancellation": {refresh: func(ctx context.Context, req *provider.RefreshRequest, good provider.Refresher) (*provider.Token, error) {
			_, err := good.Refresh(ctx, req)
			if err != nil {
				err = provider.Errorf(provider.ReauthorizationRequired, "", "gone")
			}
			return nil, err
		}},
		"replay": {refresh: func(ctx context.Context, req *provider.RefreshRequest, _ provider.Refresher) (*provider.Token, error) {
			form := refreshForm(req)
			form.Set("nonce", fmt.Sprint(time.Now().UnixNano()))
			_, err := post(ctx, req.Call, tokenURL, form)
			return &provider.Token{AccessToken: newAccess}, err
		}},
		"concurrency": {refresh: func(ctx context.Context, req *provider.RefreshRequest, good provider.Refresher) (*provider.Token, error) {
			token, err := good.Refresh(ctx, req)
			if old := crossed.Swap(token); old != nil {
				return old, err
			}
			return token, err
		}},
	}
}

func TestEachBrokenPromiseIsFoundByItsCheck(t *testing.T) {
	breakers := breakers()
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			b, ok := breakers[c.name]
			if !ok {
				t.Fatal("no provider breaks this promise, so nobody knows whether the check can fail")
			}
			if b.served, ok = oauth.New(standardConfig()).(served); !ok {
				t.Fatal("the standard provider serves less than it should")
			}
			s, err := newSuite(t.Context(), Config{Provider: b, Callback: url.Values{"server_domain": {"acme.example"}}})
			if err != nil {
				t.Fatal(err)
			}
			defer s.stop()
			err = c.run(t.Context(), s)
			if err == nil {
				t.Errorf("a provider that breaks the promise passed: %s", c.promise)
			}
			t.Log(err)
			if c.name == "replay" && !strings.Contains(fmt.Sprint(err), "refresh: request 0 differs when it is made again (POST https://acme.example/token): the body field nonce has another value (19 bytes, was 19 bytes)") {
				t.Errorf("the first difference is not named: %v", err)
			}
		})
	}
}

// Each way to break the promise about parts is named.
func TestPartsThatTheHubWouldDropAreFound(t *testing.T) {
	declared := func(d *provider.Description) {
		d.Parts = []provider.Part{{Name: "user", Title: provider.Text{EN: "user", RU: "пользователь"}}}
	}
	brings := func(part string) func(context.Context, *provider.ExchangeRequest, provider.AuthorizationCodeGrant) (*provider.Token, error) {
		return func(ctx context.Context, req *provider.ExchangeRequest, good provider.AuthorizationCodeGrant) (*provider.Token, error) {
			token, err := good.Exchange(ctx, req)
			if token != nil {
				token.Parts = []provider.PartToken{{Part: part, Token: provider.Token{AccessToken: "of-the-user"}}}
			}
			return token, err
		}
	}
	for name, tt := range map[string]struct {
		b    bad
		want string
	}{
		"kept":              {bad{describe: declared, exchange: brings("user")}, ""},
		"never brought":     {bad{describe: declared}, `no authorization brings the declared part "user"`},
		"not declared":      {bad{describe: declared, exchange: brings("guest")}, `the part "guest" is not in the description`},
		"of a renewal":      {bad{describe: declared, exchange: brings("user"), refresh: breakers()["parts"].refresh}, `refresh: it brings the part "user"`},
		"renewed by no one": {bad{describe: declared, exchange: brings("user"), refresh: onlyMain}, `refresh of the part "user"`},
	} {
		t.Run(name, func(t *testing.T) {
			tt.b.served, _ = oauth.New(standardConfig()).(served)
			s, err := newSuite(t.Context(), Config{Provider: tt.b})
			if err != nil {
				t.Fatal(err)
			}
			defer s.stop()
			err = checkParts(t.Context(), s)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// onlyMain renews no part.
func onlyMain(ctx context.Context, req *provider.RefreshRequest, good provider.Refresher) (*provider.Token, error) {
	if req.Connection.Part != "" {
		return nil, provider.Errorf(provider.Blocked, "", "no such part")
	}
	return good.Refresh(ctx, req)
}

func TestWrongFixturesAreExplained(t *testing.T) {
	for _, config := range []Config{
		{},
		{Binary: "/does/not/exist"},
		{Provider: oauth.New(standardConfig()), Name: "other"},
		{Provider: oauth.New(standardConfig()), Service: provider.Service{Options: map[string]any{"no_such": "x"}}},
	} {
		if s, err := newSuite(t.Context(), config); err == nil {
			s.stop()
			t.Errorf("%+v was accepted", config.Name)
		}
	}
}

func TestAnAddressThatDiffersWhenItIsMadeAgainIsFound(t *testing.T) {
	n := atomic.Int32{}
	b := bad{address: func(_ *provider.AuthCodeURLRequest, u *provider.AuthCodeURL) { u.URL += fmt.Sprint("&n=", n.Add(1)) }}
	b.served, _ = oauth.New(standardConfig()).(served)
	err := Replays(t.Context(), Config{Provider: b})
	if err == nil || !strings.Contains(err.Error(), "authorization_address: the results differ") {
		t.Errorf("an address that differs each time passed: %v", err)
	}
	if err := Replays(t.Context(), Config{Provider: oauth.New(standardConfig())}); err != nil {
		t.Errorf("a provider that keeps the promise: %v", err)
	}
}

func TestADroppedLifetimeIsFound(t *testing.T) {
	b := bad{refresh: func(ctx context.Context, req *provider.RefreshRequest, good provider.Refresher) (*provider.Token, error) {
		token, err := good.Refresh(ctx, req)
		if token != nil {
			token.ExpiresIn = nil
		}
		return token, err
	}}
	b.served, _ = oauth.New(standardConfig()).(served)
	s, err := newSuite(t.Context(), Config{Provider: b})
	if err != nil {
		t.Fatal(err)
	}
	defer s.stop()
	if err := checkLifetime(t.Context(), s); err == nil || !strings.Contains(err.Error(), "has none") {
		t.Errorf("a provider that drops expires_in passed: %v", err)
	}
}

// What is signed is compared as requests are, and the claim is named.
func TestASignatureThatDiffersWhenItIsMadeAgainIsFound(t *testing.T) {
	b := bad{refresh: func(ctx context.Context, req *provider.RefreshRequest, good provider.Refresher) (*provider.Token, error) {
		if _, err := req.Keys.Sign(ctx, provider.SignRequest{Key: "robot", Claims: map[string]any{"iss": "me", "jti": fmt.Sprint(time.Now().UnixNano())}}); err != nil {
			return nil, err
		}
		return good.Refresh(ctx, req)
	}}
	b.served, _ = oauth.New(standardConfig()).(served)
	s, err := newSuite(t.Context(), Config{Provider: b})
	if err != nil {
		t.Fatal(err)
	}
	defer s.stop()
	err = checkReplay(t.Context(), s)
	if err == nil || !strings.Contains(err.Error(), `refresh: signature 0 differs when it is made again: the claim jti has another value (21 bytes, was 21 bytes)`) {
		t.Errorf("the claim that differs is not named: %v", err)
	}
}
