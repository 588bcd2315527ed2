package oauth_test

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/sdk/oauth"
	"github.com/evergrant/evergrant/sdk/provider"
)

type failing struct{ err error }

func (f failing) RoundTrip(*http.Request) (*http.Response, error) { return nil, f.err }

func TestAServiceThatEchoesSecretsDoesNotPutThemIntoErrors(t *testing.T) {
	for _, echo := range []string{
		secret, oldToken, url.QueryEscape(secret), url.PathEscape(secret), strings.ToLower(url.QueryEscape(secret)),
		base64.StdEncoding.EncodeToString([]byte(secret)), base64.URLEncoding.EncodeToString([]byte("client:" + secret)),
		base64.StdEncoding.EncodeToString([]byte(oldToken)), "at-of-the-reply",
		strings.Repeat("x", 190) + oldToken,
	} {
		quoted := strings.ReplaceAll(echo, `"`, `\"`)
		a := &answer{status: 400, body: `{"error":"weird ` + quoted + `","error_description":"no: ` + quoted + ` \u0007\u001b[31m!","access_token":"at-of-the-reply"}`}
		_, err := ask(t, a, oauth.Decode{})
		core := strings.TrimRight(strings.TrimPrefix(echo, strings.Repeat("x", 190)), "=")
		if strings.Contains(err.Error(), core) || strings.Contains(err.Error(), core[:len(core)-4]) {
			t.Errorf("%q is in %q", core, err)
		}
		if strings.ContainsAny(err.Error(), "\x07\x1b") {
			t.Errorf("control characters are in %q", err)
		}
	}
}

func TestLongTextOfAServiceIsCut(t *testing.T) {
	_, err := ask(t, &answer{status: 400, body: `{"error":"e","error_description":"` + strings.Repeat("ж", 5000) + `"}`}, oauth.Decode{})
	if n := strings.Count(err.Error(), "ж"); n != 200 {
		t.Errorf("%d letters are quoted, want 200", n)
	}
}

func TestARequestWithoutAReplyIsTransientAndHidesItsAddress(t *testing.T) {
	_, err := oauth.Do(t.Context(), &http.Client{Transport: failing{errors.New("connection reset with " + secret)}}, oauth.TokenRequest{
		Endpoint: "https://acme.example/token", Method: http.MethodGet, Form: url.Values{"code": {"the-code"}}, ClientSecret: secret,
	})
	if provider.KindOf(err) != provider.Transient {
		t.Errorf("got %v", err)
	}
	for _, hidden := range []string{"the-code", secret, "acme.example"} {
		if strings.Contains(err.Error(), hidden) {
			t.Errorf("%q is in %q", hidden, err)
		}
	}
}

func TestAnEndedContextIsTheCauseOfTheError(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := oauth.Do(ctx, &http.Client{Transport: failing{context.Canceled}}, oauth.TokenRequest{Endpoint: "https://acme.example/token"})
	if !errors.Is(err, context.Canceled) || provider.KindOf(err) != provider.Transient {
		t.Errorf("got %v", err)
	}
}

func TestARedirectIsNotFollowed(t *testing.T) {
	a := &answer{status: 307, header: http.Header{"Location": {"https://elsewhere.example/token"}}}
	if _, err := ask(t, a, oauth.Decode{}); provider.KindOf(err) != provider.Internal {
		t.Errorf("got %v", err)
	}
}

func TestAnAddressWithoutSchemeIsTheOperatorsToMend(t *testing.T) {
	_, err := oauth.Do(t.Context(), http.DefaultClient, oauth.TokenRequest{Endpoint: "acme.example/token?key=hidden"})
	if provider.KindOf(err) != provider.Blocked || strings.Contains(err.Error(), "hidden") {
		t.Errorf("got %v", err)
	}
}
