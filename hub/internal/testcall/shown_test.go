package testcall

import (
	"net/http"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/sdk/provider"
)

func TestAnAnswerIsShownWithoutSecrets(t *testing.T) {
	svc := service.Service{ClientSecret: "the+client/secret", Description: &provider.Description{}}
	tokens := connection.TokenSet{AccessToken: "access-1234567", RefreshToken: "refresh-1234567", Extra: map[string]any{"application_token": "app-1234567"}}
	secrets := secretsOf(svc, connection.Connection{Tokens: tokens})
	for name, tc := range map[string]struct{ body, want string }{
		"indented":           {`{"b":[1,2],"a":"Привет <b>"}`, "{\n  \"a\": \"Привет <b>\",\n  \"b\": [\n    1,\n    2\n  ]\n}"},
		"a number stays":     {`{"id":12345678901234567890}`, "{\n  \"id\": 12345678901234567890\n}"},
		"by its name":        {`{"refresh_token":"a new one"}`, "{\n  \"refresh_token\": \"[redacted]\"\n}"},
		"by its value":       {`{"said":"access-1234567 is over"}`, "{\n  \"said\": \"[redacted] is over\"\n}"},
		"percent-encoded":    {`?secret=the%2Bclient%2Fsecret`, "?secret=[redacted]"},
		"of the extras":      {`app-1234567`, "[redacted]"},
		"a code is no token": {`{"CODE":"local.1"}`, "{\n  \"CODE\": \"local.1\"\n}"},
	} {
		if got, cut := shown([]byte(tc.body), secrets); got != tc.want || cut {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
	long, cut := shown([]byte(strings.Repeat("ж", most)), nil)
	if !cut || len(long) > most || strings.Contains(long, "\ufffd") {
		t.Errorf("a long answer is %d bytes, cut %t", len(long), cut)
	}
}

func TestTheTokenIsAttachedAsTheProviderSays(t *testing.T) {
	tokens := connection.TokenSet{AccessToken: "a b", Extra: map[string]any{"client_endpoint": "https://acme.example/rest/"}}
	call := provider.TestCall{Name: "who", URL: "{extra:client_endpoint}user.current?x=1"}
	for name, tc := range map[string]struct {
		api         provider.API
		url, header string
	}{
		"query":   {provider.API{In: "query", Name: "auth"}, "https://acme.example/rest/user.current?auth=a+b&x=1", ""},
		"header":  {provider.API{In: "header", Name: "Authorization", Prefix: "Token "}, "https://acme.example/rest/user.current?x=1", "Token a b"},
		"nothing": {provider.API{}, "https://acme.example/rest/user.current?x=1", "Bearer a b"},
	} {
		req, err := requestOf(service.Service{Description: &provider.Description{API: tc.api}}, connection.Connection{Tokens: tokens}, call)
		if err != nil || req.URL != tc.url || req.Header.Get("Authorization") != tc.header || req.Method != http.MethodGet {
			t.Errorf("%s: %+v %v", name, req, err)
		}
	}
	own := provider.TestCall{Name: "own", URL: "https://api.example/{connection:account}/me"}
	if req, err := requestOf(service.Service{Description: &provider.Description{}}, connection.Connection{Options: map[string]any{"account": "77"}}, own); err != nil || req.URL != "https://api.example/77/me" {
		t.Errorf("an option of the connection: %v, %v", req, err)
	}
	if _, err := requestOf(service.Service{Description: &provider.Description{}}, connection.Connection{}, call); err == nil {
		t.Error("an address without its host was made")
	}
}
