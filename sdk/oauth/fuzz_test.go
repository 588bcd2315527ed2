package oauth

import (
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/evergrant/evergrant/sdk/provider"
)

const fuzzSecret = "the-client-secret-0123456789"

// FuzzTokenReply reads what a token endpoint answers: it is a token set with an access
// token, or an error of a known kind that holds no secret, neither the client's nor one
// of the reply itself.
func FuzzTokenReply(f *testing.F) {
	for _, seed := range []struct {
		status       int
		kind, answer string
	}{
		{200, "application/json", `{"access_token":"aaaaaaaaaaaaaaaa","token_type":"Bearer","expires_in":3600,"refresh_token":"rrrrrrrrrrrrrrrr","scope":"a b"}`},
		{200, "application/json", `{"access_token":"a","expires_in":"1e400"}`}, {200, "application/x-www-form-urlencoded", "access_token=a&expires_in=5"}, {200, "text/html", "<html>"},
		{400, "application/json", `{"error":"invalid_grant","error_description":"` + fuzzSecret + `"}`}, {401, "application/json", `{"error":{"code":"x","message":"y"}}`}, {500, "", ""}, {200, "application/json; charset=windows-1251", "{\"error\":\"\xff\"}"},
		{200, "application/json", `{"refresh_token":"rrrrrrrrrrrrrrrr","error":"rrrrrrrrrrrrrrrr"}`}, {429, "application/json", `[]`}, {200, "application/json", `{"access_token":"a"}{"access_token":"b"}`},
	} {
		f.Add(seed.status, seed.kind, []byte(seed.answer))
	}
	f.Fuzz(func(t *testing.T, status int, contentType string, body []byte) {
		header := http.Header{"Content-Type": {contentType}, "Retry-After": {contentType}}
		reply := newReply(status, header, body, time.Unix(1_800_000_000, 0), []string{fuzzSecret})
		token, err := reply.Token(Decode{})
		if err == nil {
			checkToken(t, token)
			return
		}
		kind := provider.KindOf(err)
		if kind == provider.ReauthorizationRequired && passing(status) {
			t.Errorf("an outage (status %d) ends the grant: %v", status, err)
		}
		if strings.Contains(err.Error(), fuzzSecret) {
			t.Errorf("the error shows the client secret: %v", err)
		}
		if strings.ContainsFunc(err.Error(), unicode.IsControl) {
			t.Errorf("the error holds control characters: %q", err.Error())
		}
	})
}

func checkToken(t *testing.T, token *provider.Token) {
	t.Helper()
	if strings.TrimSpace(token.AccessToken) == "" || strings.ContainsFunc(token.AccessToken, unicode.IsControl) {
		t.Errorf("the access token is %q", token.AccessToken)
	}
	for name, value := range token.Extra {
		if text, ok := value.(string); ok && len(text) > 8 && (text == token.AccessToken || text == token.RefreshToken) {
			t.Errorf("extra %q holds a token", name)
		}
	}
}
