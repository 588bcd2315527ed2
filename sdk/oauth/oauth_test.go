package oauth_test

import (
	"encoding/base64"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/sdk/oauth"
	"github.com/evergrant/evergrant/sdk/provider"
)

// answer is a service that gives one reply to everything and keeps what it got.
type answer struct {
	status int
	header http.Header
	body   string

	requests []*http.Request
	bodies   []string
}

func (a *answer) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		body, _ = io.ReadAll(req.Body)
	}
	a.requests, a.bodies = append(a.requests, req), append(a.bodies, string(body))
	rec := httptest.NewRecorder()
	maps.Copy(rec.Header(), a.header)
	rec.WriteHeader(a.status)
	rec.Body.WriteString(a.body)
	return rec.Result(), nil
}

func (a *answer) client() *http.Client { return &http.Client{Transport: a} }

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const (
	secret   = "s3cret/+ value"
	oldToken = "refresh-token-of-old"
)

func ask(t *testing.T, a *answer, d oauth.Decode) (*provider.Token, error) {
	t.Helper()
	reply, err := oauth.Do(t.Context(), a.client(), oauth.TokenRequest{
		Endpoint: "https://acme.example/token", Form: url.Values{"grant_type": {"refresh_token"}, "refresh_token": {oldToken}},
		ClientID: "client", ClientSecret: secret, Now: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(a.requests) != 1 {
		t.Fatalf("%d requests were sent, want 1", len(a.requests))
	}
	return reply.Token(d)
}

func TestClientAuthenticationGoesWhereTheServiceWantsIt(t *testing.T) {
	basic := func(pair string) string { return base64.StdEncoding.EncodeToString([]byte(pair)) }
	for _, test := range []struct {
		req                   oauth.TokenRequest
		method, header, query string
		body                  string
	}{
		{oauth.TokenRequest{Auth: oauth.AuthNone}, "POST", "", "tenant=1", "client_id=id%2F1&grant_type=x"},
		{oauth.TokenRequest{Auth: oauth.AuthPost}, "POST", "", "tenant=1", "client_id=id%2F1&client_secret=a%2Fb&grant_type=x"},
		{oauth.TokenRequest{}, "POST", "", "tenant=1", "client_id=id%2F1&client_secret=a%2Fb&grant_type=x"},
		{oauth.TokenRequest{Auth: oauth.AuthBasic}, "POST", "Basic " + basic("id%2F1:a%2Fb"), "tenant=1", "grant_type=x"},
		{oauth.TokenRequest{Auth: oauth.AuthBasicRaw}, "POST", "Basic " + basic("id/1:a/b"), "tenant=1", "grant_type=x"},
		{oauth.TokenRequest{Auth: oauth.AuthRawBase64}, "POST", basic("id/1:a/b"), "tenant=1", "grant_type=x"},
		{oauth.TokenRequest{Auth: oauth.AuthQuery}, "POST", "", "client_id=id%2F1&client_secret=a%2Fb&tenant=1", "grant_type=x"},
		{oauth.TokenRequest{Method: "GET"}, "GET", "", "client_id=id%2F1&client_secret=a%2Fb&grant_type=x&tenant=1", ""},
		{oauth.TokenRequest{JSON: true}, "POST", "", "tenant=1", `{"client_id":"id/1","client_secret":"a/b","grant_type":"x"}`},
	} {
		a := &answer{status: 200, body: `{}`}
		req := test.req
		req.Endpoint, req.Form = "https://acme.example/token?tenant=1", url.Values{"grant_type": {"x"}}
		req.ClientID, req.ClientSecret = "id/1", "a/b"
		if _, err := oauth.Do(t.Context(), a.client(), req); err != nil {
			t.Fatal(err)
		}
		got := a.requests[0]
		if got.Method != test.method || got.Header.Get("Authorization") != test.header || got.URL.RawQuery != test.query || a.bodies[0] != test.body {
			t.Errorf("auth %q json %t: got %s %q ?%s body %q", req.Auth, req.JSON, got.Method, got.Header.Get("Authorization"), got.URL.RawQuery, a.bodies[0])
		}
		if len(req.Form) != 1 {
			t.Errorf("auth %q: the caller's form was changed to %v", req.Auth, req.Form)
		}
	}
}

func TestEveryErrorSaysWhoHasToAct(t *testing.T) {
	codes := map[string]provider.Kind{"payment_required": provider.Blocked, "190": provider.ReauthorizationRequired, "portal_deleted": provider.Blocked}
	for _, test := range []struct {
		status int
		body   string
		kind   provider.Kind
		code   string
	}{
		{400, `{"error":"invalid_grant"}`, provider.ReauthorizationRequired, "invalid_grant"},
		{200, `{"error":"INVALID_GRANT"}`, provider.ReauthorizationRequired, "INVALID_GRANT"},
		{400, `error=invalid_grant`, provider.Internal, ""},
		{503, `{"error":"invalid_grant"}`, provider.Transient, "invalid_grant"},
		{429, `{"error":"invalid_grant"}`, provider.Transient, "invalid_grant"},
		{500, `{"error":"invalid_client"}`, provider.Transient, "invalid_client"},
		{500, `{"error":"PORTAL_DELETED"}`, provider.Blocked, "PORTAL_DELETED"},
		{500, `{"error":{"code":190}}`, provider.Transient, "190"},
		{401, `{"error":"invalid_client"}`, provider.Blocked, "invalid_client"},
		{200, `{"error":"PAYMENT_REQUIRED","access_token":"t"}`, provider.Blocked, "PAYMENT_REQUIRED"},
		{400, `{"error":{"message":"expired","type":"OAuthException","code":190}}`, provider.ReauthorizationRequired, "190"},
		{400, `{"error":{"code":401,"status":"access_denied"}}`, provider.Denied, "access_denied"},
		{400, `{"error":"invalid_request","error_description":"bad redirect_uri"}`, provider.Blocked, "invalid_request"},
		{400, `{"error":"invalid_request"}`, provider.Internal, "invalid_request"},
		{400, `{"error":"slow_down"}`, provider.Transient, "slow_down"},
		{400, `{"error":"flux_capacitor"}`, provider.Internal, "flux_capacitor"},
		{502, `<html>bad gateway</html>`, provider.Transient, ""},
		{408, ``, provider.Transient, ""},
		{425, ``, provider.Transient, ""},
		{429, ``, provider.Transient, ""},
		{401, ``, provider.Blocked, ""},
		{404, `<html></html>`, provider.Internal, ""},
		{302, ``, provider.Internal, ""},
		{200, ``, provider.Internal, ""},
		{200, `<html>log in</html>`, provider.Internal, ""},
		{200, `{"access_token":"t","expires`, provider.Internal, ""},
		{200, `{"access_token":"t"} {`, provider.Internal, ""},
		{200, `["access_token"]`, provider.Internal, ""},
		{200, `{"access_token":""}`, provider.Internal, ""},
		{200, `{"access_token":" "}`, provider.Internal, ""},
		{200, `{"access_token":"a\nb"}`, provider.Internal, ""},
		{200, `{"access_token":7}`, provider.Internal, ""},
		{200, `{}`, provider.Internal, ""},
	} {
		a := &answer{status: test.status, body: test.body, header: http.Header{"Content-Type": {"application/json"}}}
		token, err := ask(t, a, oauth.Decode{Codes: codes})
		e, ok := errors.AsType[*provider.Error](err)
		if token != nil || !ok {
			t.Errorf("%d %s: got token %v, error %v", test.status, test.body, token, err)
			continue
		}
		if e.Kind != test.kind || e.Code != test.code || e.HTTPStatus != test.status {
			t.Errorf("%d %s: got %s %q %d, want %s %q", test.status, test.body, e.Kind, e.Code, e.HTTPStatus, test.kind, test.code)
		}
	}
}

func TestATokenReplyKeepsEverythingTheServiceSaid(t *testing.T) {
	a := &answer{status: 200, body: "\xef\xbb\xbf" + `{"access_token":"at-1","refresh_token":"rt-1","id_token":"it-1","token_type":"bearer",
		"expires_in":"3600","refresh_expires_in":7200,"scope":"crm, task","member_id":"m1","user_id":12345678901234567890,
		"error":null,"echo":"at-1","nested":{"list":["rt-1"]},"client_secret":"x","note":"` + secret + `"}`}
	token, err := ask(t, a, oauth.Decode{ScopeSeparator: ","})
	if err != nil {
		t.Fatal(err)
	}
	if token.AccessToken != "at-1" || token.RefreshToken != "rt-1" || token.IDToken != "it-1" || token.TokenType != "bearer" {
		t.Error("a token field was lost")
	}
	if *token.ExpiresIn != time.Hour || *token.RefreshExpiresIn != 2*time.Hour {
		t.Errorf("lifetimes are %v and %v", *token.ExpiresIn, *token.RefreshExpiresIn)
	}
	if strings.Join(token.Scopes, "|") != "crm|task" {
		t.Errorf("scopes are %q", token.Scopes)
	}
	if len(token.Extra) != 3 || token.Text("member_id") != "m1" || fmtNumber(token.Extra["user_id"]) != "12345678901234567890" {
		t.Errorf("extra is %v", token.Extra)
	}
	if _, ok := token.Extra["error"]; !ok {
		t.Error("a null field was dropped")
	}
}

func fmtNumber(v any) string {
	s, _ := v.(interface{ String() string })
	return s.String()
}

func TestLifetimesAreReadInEveryWrittenForm(t *testing.T) {
	for written, want := range map[string]*time.Duration{
		``: nil, `"expires_in":null,`: nil, `"expires_in":"",`: nil, `"expires_in":"soon",`: nil, `"expires_in":true,`: nil, `"expires_in":"Inf",`: nil,
		`"expires_in":3600,`: new(time.Hour), `"expires_in":"3600",`: new(time.Hour), `"expires_in":3600.0,`: new(time.Hour),
		`"expires_in":0,`: nil, `"expires_in":"0",`: nil, `"expires_in":-1,`: new(-time.Second),
	} {
		token, err := ask(t, &answer{status: 200, body: `{` + written + `"access_token":"a"}`}, oauth.Decode{})
		if err != nil {
			t.Fatal(err)
		}
		if (token.ExpiresIn == nil) != (want == nil) || (want != nil && *token.ExpiresIn != *want) {
			t.Errorf("%s is read as %v, want %v", written, token.ExpiresIn, want)
		}
	}
	token, _ := ask(t, &answer{status: 200, body: `{"expires_in":3600000,"access_token":"a"}`}, oauth.Decode{ExpiresInUnit: time.Millisecond})
	if *token.ExpiresIn != time.Hour {
		t.Errorf("milliseconds are read as %v", *token.ExpiresIn)
	}
	token, _ = ask(t, &answer{status: 200, body: `{"expires_in":1e300,"access_token":"a"}`}, oauth.Decode{})
	if *token.ExpiresIn < 100*365*24*time.Hour {
		t.Errorf("a life of ages became %v", *token.ExpiresIn)
	}
}

func TestAFormIsAcceptedAsAReply(t *testing.T) {
	a := &answer{status: 200, body: "access_token=a1&scope=repo,user&token_type=bearer&expires_in=28800", header: http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}}}
	token, err := ask(t, a, oauth.Decode{ScopeSeparator: ","})
	if err != nil || token.AccessToken != "a1" || *token.ExpiresIn != 8*time.Hour || len(token.Scopes) != 2 {
		t.Errorf("got %v, %v", token, err)
	}
	a = &answer{status: 200, body: "error=bad_verification_code&error_description=x", header: a.header}
	if _, err := ask(t, a, oauth.Decode{}); provider.KindOf(err) != provider.ReauthorizationRequired || !strings.Contains(err.Error(), "bad_verification_code") {
		t.Errorf("got %v", err)
	}
}

func TestRetryAfterIsSecondsOrADate(t *testing.T) {
	for value, want := range map[string]time.Duration{
		"120": 2 * time.Minute, "-5": 0, "later": 0, "99999999999999999": 1<<63 - 1 - (1<<63-1)%time.Second,
		now.Add(time.Minute).Format(http.TimeFormat): time.Minute, now.Add(-time.Minute).Format(http.TimeFormat): 0,
	} {
		_, err := ask(t, &answer{status: 429, header: http.Header{"Retry-After": {value}}}, oauth.Decode{})
		e, _ := errors.AsType[*provider.Error](err)
		if e.RetryAfter != want {
			t.Errorf("Retry-After %q is %v, want %v", value, e.RetryAfter, want)
		}
	}
}
