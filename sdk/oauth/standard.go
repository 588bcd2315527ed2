package oauth

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/evergrant/evergrant/sdk/provider"
)

// authStyles are the ways of client authentication that golang.org/x/oauth2
// sends. AuthStyleAutoDetect must never be among them: it tries twice, and the
// first try burns the code.
var authStyles = map[ClientAuth]oauth2.AuthStyle{
	AuthNone: oauth2.AuthStyleInParams, AuthPost: oauth2.AuthStyleInParams, "": oauth2.AuthStyleInParams,
	AuthBasic: oauth2.AuthStyleInHeader,
}

// standardExchange is RFC 6749 section 4.1.3 over golang.org/x/oauth2.
func standardExchange(ctx context.Context, e Endpoints, req *provider.ExchangeRequest) (*Reply, error) {
	var opts []oauth2.AuthCodeOption
	if req.CodeVerifier != "" {
		opts = append(opts, oauth2.VerifierOption(req.CodeVerifier))
	}
	conf := e.config(req.Service)
	conf.RedirectURL = req.RedirectURI
	return overOAuth2(ctx, req.Call, []string{req.Code, req.CodeVerifier}, func(ctx context.Context) error {
		_, err := conf.Exchange(ctx, req.Code, opts...)
		return err
	})
}

// standardRefresh is RFC 6749 section 6 over golang.org/x/oauth2.
func standardRefresh(ctx context.Context, e Endpoints, req *provider.RefreshRequest) (*Reply, error) {
	conf := e.config(req.Service)
	return overOAuth2(ctx, req.Call, []string{req.Current.RefreshToken, req.Current.AccessToken}, func(ctx context.Context) error {
		_, err := conf.TokenSource(ctx, &oauth2.Token{RefreshToken: req.Current.RefreshToken}).Token()
		return err
	})
}

// standardClientCredentials is RFC 6749 section 4.4 over golang.org/x/oauth2.
func standardClientCredentials(ctx context.Context, e Endpoints, req *provider.ClientCredentialsRequest, scope string) (*Reply, error) {
	conf := clientcredentials.Config{
		ClientID: req.Service.ClientID, ClientSecret: e.secret(req.Service),
		TokenURL: e.TokenURL, AuthStyle: authStyles[e.Auth],
	}
	if scope != "" {
		conf.Scopes = []string{scope} // joined already, with the service's separator
	}
	return overOAuth2(ctx, req.Call, nil, func(ctx context.Context) error {
		_, err := conf.Token(ctx)
		return err
	})
}

// config is the registration in the words of golang.org/x/oauth2.
func (e Endpoints) config(svc provider.Service) *oauth2.Config {
	return &oauth2.Config{
		ClientID: svc.ClientID, ClientSecret: e.secret(svc),
		Endpoint: oauth2.Endpoint{AuthURL: e.AuthURL, TokenURL: e.TokenURL, AuthStyle: authStyles[e.Auth]},
	}
}

// secret is what is sent as client_secret.
func (e Endpoints) secret(svc provider.Service) string {
	if e.Auth != AuthSecretJWT && !e.Auth.NeedsSecret() {
		return ""
	}
	return svc.ClientSecret
}

// overOAuth2 runs one request of golang.org/x/oauth2 and returns the raw reply. The
// library's own parsing is not used: it rounds lifetimes, drops numbers and quotes bodies
// in its errors.
func overOAuth2(ctx context.Context, call provider.Call, secrets []string, run func(context.Context) error) (*Reply, error) {
	client := *call.HTTP
	tape := &tape{next: client.Transport}
	if tape.next == nil {
		tape.next = http.DefaultTransport //nolint:forbidigo // what a client without a transport of its own has, in tests
	}
	client.Transport = tape
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	secrets = append(secrets, TokenRequest{ClientID: call.Service.ClientID, ClientSecret: call.Service.ClientSecret}.secrets()...)
	err := run(context.WithValue(ctx, oauth2.HTTPClient, &client))
	switch {
	case tape.err != nil:
		return nil, noReply(ctx, tape.err, secrets)
	case tape.resp == nil:
		if ctx.Err() != nil {
			return nil, noReply(ctx, ctx.Err(), secrets)
		}
		return nil, provider.Errorf(provider.Internal, "", "the token request could not be built: %s", quote(reason(err), secrets))
	}
	reply := newReply(tape.resp.StatusCode, tape.resp.Header, tape.body, call.Now, secrets)
	reply.clientSecret = call.Service.ClientSecret
	return reply, nil
}

// reason is an error without the address that url.Error quotes.
func reason(err error) string {
	if err == nil {
		return "nothing was sent"
	}
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	return err.Error()
}

// tape keeps the only reply that passes.
type tape struct {
	next http.RoundTripper
	resp *http.Response
	body []byte
	err  error
}

var errSecondRequest = errors.New("a second token request was refused")

// RoundTrip implements http.RoundTripper.
func (t *tape) RoundTrip(req *http.Request) (*http.Response, error) {
	if t.resp != nil || t.err != nil {
		return nil, errSecondRequest
	}
	req = req.Clone(req.Context())
	req.Header.Set("Accept", "application/json") // some answer with a form otherwise
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		t.err = err
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if t.body, err = io.ReadAll(io.LimitReader(resp.Body, maxReply+1)); err != nil {
		t.err = err
		return nil, err
	}
	t.resp = resp
	resp.Body = io.NopCloser(bytes.NewReader(t.body))
	return resp, nil
}
