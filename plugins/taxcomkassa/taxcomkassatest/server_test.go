package taxcomkassatest_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evergrant/evergrant/plugins/emulator"
	"github.com/evergrant/evergrant/plugins/taxcomkassa/taxcomkassatest"
)

const (
	redirectURI = "http://hub.test/callback/kassa"
	secret      = "p+r%2Bc:ent" // must travel as it is
)

// till is an emulated Taxcom-Kassa with one client, and a clock that the test moves.
type till struct {
	*taxcomkassatest.Server
	t       *testing.T
	seconds atomic.Int64
}

func newTill(t *testing.T, config taxcomkassatest.Config) *till {
	t.Helper()
	k := &till{t: t}
	config.Now = func() time.Time { return time.Unix(1_800_000_000+k.seconds.Load(), 0) }
	config.Clients = []taxcomkassatest.Client{
		{ClientID: "integrator", ClientSecret: secret, RedirectURIs: []string{redirectURI}},
		{ClientID: "other", ClientSecret: "other"},
	}
	k.Server = taxcomkassatest.New(config)
	if err := k.Start("", ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.Close() })
	return k
}

func (k *till) pass(d time.Duration) { k.seconds.Add(int64(d.Seconds())) }

func (k *till) open(changes url.Values, choices emulator.Choices) (*url.URL, error) {
	k.t.Helper()
	query := url.Values{
		"client_id": {"integrator"}, "response_type": {"code"}, "scope": {"api"}, "state": {"xyz"},
		"redirect_uri": {redirectURI}, "redirect_url": {redirectURI},
	}
	maps.Copy(query, changes)
	return emulator.Person{}.Authorize(k.t.Context(), k.AuthorizeServerURL+"/core/connect/authorize?"+query.Encode(), choices)
}

func (k *till) code() string {
	k.t.Helper()
	landed, err := k.open(nil, emulator.Choices{})
	if err != nil {
		k.t.Fatal(err)
	}
	return landed.Query().Get("code")
}

// post sends a form and returns status and JSON.
func (k *till) post(address, authorization string, form url.Values) (int, map[string]any) {
	k.t.Helper()
	req, err := http.NewRequestWithContext(k.t.Context(), http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		k.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	return k.send(req)
}

func (k *till) send(req *http.Request) (int, map[string]any) {
	k.t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		k.t.Fatal(err)
	}
	defer resp.Body.Close()
	var body map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&body); err != nil {
		k.t.Fatal(err)
	}
	return resp.StatusCode, body
}

func basic(id, secret string) string {
	return base64.StdEncoding.EncodeToString([]byte(id + ":" + secret))
}

func exchange(code string) url.Values {
	return url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {redirectURI}}
}

func (k *till) connect() map[string]any {
	k.t.Helper()
	status, reply := k.post(k.TokenServerURL+"/core/connect/token", "Basic "+basic("integrator", secret), exchange(k.code()))
	if status != http.StatusOK {
		k.t.Fatalf("exchange: %d %v", status, reply)
	}
	return reply
}

// kkt calls the API with a token in a header and returns status and error code.
func (k *till) kkt(header, value string) (int, any) {
	k.t.Helper()
	req, err := http.NewRequestWithContext(k.t.Context(), http.MethodGet, k.TokenServerURL+"/API/v2/KKTList", http.NoBody)
	if err != nil {
		k.t.Fatal(err)
	}
	req.Header.Set(header, value)
	status, body := k.send(req)
	return status, body["apiErrorCode"]
}

func TestATokenIsIssuedForFortyOneDays(t *testing.T) {
	k := newTill(t, taxcomkassatest.Config{})
	reply := k.connect()
	token := reply["access_token"].(string)
	if !regexp.MustCompile("^[0-9a-f]{32}$").MatchString(token) || reply["expires_in"] != 3600000.0 || reply["token_type"] != "Bearer" || len(reply) != 3 {
		t.Errorf("reply %v", reply)
	}
	for header, value := range map[string]string{"Session-Token": token, "Authorization": "Bearer " + token} {
		if status, _ := k.kkt(header, value); status != http.StatusOK {
			t.Errorf("%s: %d", header, status)
		}
	}
	k.pass(3600000 * time.Second)
	if status, code := k.kkt("Session-Token", token); status != http.StatusUnauthorized || code != 2109.0 {
		t.Errorf("after 41 days: %d %v", status, code)
	}
	if got := k.TokenState(token); got != emulator.Expired {
		t.Errorf("the judge says %s", got)
	}
}

func TestExpiresInCanBeToldInMilliseconds(t *testing.T) {
	k := newTill(t, taxcomkassatest.Config{AccessTTL: time.Hour, ExpiresInUnit: time.Millisecond})
	if reply := k.connect(); reply["expires_in"] != 3600000.0 {
		t.Errorf("reply %v", reply)
	}
}

func TestClientCredentials(t *testing.T) {
	inBody := url.Values{"client_id": {"integrator"}, "client_secret": {secret}}
	tests := map[string]struct {
		raw    bool
		header string
		body   url.Values
		status int
	}{
		"Basic":               {header: "Basic " + basic("integrator", secret), status: 200},
		"case of the scheme":  {header: "bAsIc " + basic("integrator", secret), status: 200},
		"percent-encoded":     {header: "Basic " + basic("integrator", url.QueryEscape(secret)), status: 400},
		"raw base64":          {header: basic("integrator", secret), status: 400},
		"raw base64 accepted": {raw: true, header: basic("integrator", secret), status: 200},
		"Basic beside raw":    {raw: true, header: "Basic " + basic("integrator", secret), status: 200},
		"form":                {body: inBody, status: 200},
		"wrong secret":        {header: "Basic " + basic("integrator", "guess"), status: 400},
		"unknown client":      {header: "Basic " + basic("nobody", secret), status: 400},
		"none":                {status: 400},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			k := newTill(t, taxcomkassatest.Config{AcceptRawBase64: tc.raw})
			form := exchange(k.code())
			maps.Copy(form, tc.body)
			status, reply := k.post(k.TokenServerURL+"/core/connect/token", tc.header, form)
			if status != tc.status || (status != 200 && reply["error"] != "invalid_client") {
				t.Errorf("%d %v, want %d", status, reply, tc.status)
			}
		})
	}
}

func TestTokenErrors(t *testing.T) {
	k := newTill(t, taxcomkassatest.Config{})
	used := k.code()
	k.post(k.TokenServerURL+"/core/connect/token", "Basic "+basic("integrator", secret), exchange(used))
	old := k.code()
	k.pass(5 * time.Minute)
	elsewhere := exchange(k.code())
	elsewhere.Set("redirect_uri", redirectURI+"/")
	refresh := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"x"}}
	tests := map[string]struct {
		client, secret string
		form           url.Values
		code           string
	}{
		"used code":           {"integrator", secret, exchange(used), "invalid_grant"},
		"old code":            {"integrator", secret, exchange(old), "invalid_grant"},
		"made up code":        {"integrator", secret, exchange("abc"), "invalid_grant"},
		"another's code":      {"other", "other", exchange(k.code()), "invalid_grant"},
		"other redirect_uri":  {"integrator", secret, elsewhere, "unauthorized_client"},
		"no refreshing":       {"integrator", secret, refresh, "unsupported_grant_type"},
		"nothing but a claim": {"integrator", secret, nil, "unsupported_grant_type"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			status, reply := k.post(k.TokenServerURL+"/core/connect/token", "Basic "+basic(tc.client, tc.secret), tc.form)
			if status != http.StatusBadRequest || reply["error"] != tc.code {
				t.Errorf("%d %v, want %s", status, reply, tc.code)
			}
		})
	}
}

func TestTheAuthorizePage(t *testing.T) {
	tests := map[string]struct {
		config  taxcomkassatest.Config
		changes url.Values
		deny    bool
		query   string // of the redirect, the code left out
		problem string // on the page, if there is no redirect
	}{
		"allowed":              {query: "state=xyz"},
		"denied":               {deny: true, query: "error=access_denied&state=xyz"},
		"state dropped":        {config: taxcomkassatest.Config{DropState: true}, query: ""},
		"scope":                {changes: url.Values{"scope": {"api offline_access"}}, query: "error=invalid_scope&state=xyz"},
		"response_type":        {changes: url.Values{"response_type": {"token"}}, query: "error=unsupported_response_type&state=xyz"},
		"only redirect_url":    {changes: url.Values{"redirect_uri": nil}, problem: "invalid_request"},
		"redirect_url is read": {config: taxcomkassatest.Config{ReadRedirectURL: true}, changes: url.Values{"redirect_uri": nil}, query: "state=xyz"},
		"foreign redirect_uri": {changes: url.Values{"redirect_uri": {"http://evil.test"}}, problem: "unauthorized_client"},
		"unknown client":       {changes: url.Values{"client_id": {"nobody"}}, problem: "unauthorized_client"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			k := newTill(t, tc.config)
			landed, err := k.open(tc.changes, emulator.Choices{Deny: tc.deny})
			if page, ok := errors.AsType[*emulator.PageError](err); ok || tc.problem != "" {
				if !ok || page.Problem != tc.problem {
					t.Errorf("landed at %v with %v, want a page with %q", landed, err, tc.problem)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			query := landed.Query()
			query.Del("code")
			if query.Encode() != tc.query {
				t.Errorf("landed with %s, want %s", query.Encode(), tc.query)
			}
		})
	}
}

func TestProlongingPutsANewTokenInTheOldOnesPlace(t *testing.T) {
	k := newTill(t, taxcomkassatest.Config{Prolong: true})
	first := k.connect()["access_token"].(string)
	k.pass(3599999 * time.Second)
	status, reply := k.post(k.ProlongURL(), "Bearer "+first, nil)
	second, _ := reply["access_token"].(string)
	if status != http.StatusOK || second == first || k.TokenState(first) != emulator.Revoked || k.TokenState(second) != emulator.Valid {
		t.Fatalf("%d %v: first is %s, second %s", status, reply, k.TokenState(first), k.TokenState(second))
	}
	if status, reply := k.post(k.ProlongURL(), "Bearer "+first, nil); status != 401 || reply["error"] != "invalid_token" || k.Spent() != 1 {
		t.Errorf("prolonging the old one: %d %v, counted %d", status, reply, k.Spent())
	}
	k.pass(3600000 * time.Second)
	if status, _ := k.post(k.ProlongURL(), "Bearer "+second, nil); status != http.StatusUnauthorized {
		t.Errorf("prolonging an expired token: %d", status)
	}
}

func TestProlongingCanKeepTheToken(t *testing.T) {
	k := newTill(t, taxcomkassatest.Config{Prolong: true, ProlongSameToken: true})
	token := k.connect()["access_token"].(string)
	for range 3 {
		k.pass(3599999 * time.Second)
		if status, reply := k.post(k.ProlongURL(), "Bearer "+token, nil); status != http.StatusOK || reply["access_token"] != token {
			t.Fatalf("%d %v", status, reply)
		}
	}
	if k.TokenState(token) != emulator.Valid || k.Spent() != 0 {
		t.Errorf("the token is %s", k.TokenState(token))
	}
}

func TestWithoutProlongationTheAddressIsUnknown(t *testing.T) {
	k := newTill(t, taxcomkassatest.Config{})
	resp, err := http.PostForm(k.ProlongURL(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusNotFound {
		t.Errorf("status %d", resp.StatusCode)
	}
}
