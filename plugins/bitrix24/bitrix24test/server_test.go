package bitrix24test_test

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evergrant/evergrant/plugins/bitrix24/bitrix24test"
	"github.com/evergrant/evergrant/plugins/emulator"
)

// town is an emulated Bitrix24 with one app, and a clock that the test moves.
type town struct {
	*bitrix24test.Server
	t       *testing.T
	seconds atomic.Int64
}

var card = bitrix24test.App{
	ClientID: "local.1", ClientSecret: "s3cret", RedirectURI: "http://hub.test/callback/b24?keep=1", Scopes: []string{"crm", "user"},
}

func newTown(t *testing.T) *town {
	t.Helper()
	w := &town{t: t}
	w.Server = bitrix24test.New(bitrix24test.Config{Apps: []bitrix24test.App{card}, Now: w.now})
	if err := w.Start("", ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

func (w *town) now() time.Time { return time.Unix(1_800_000_000+w.seconds.Load(), 0) }

func (w *town) pass(d time.Duration) { w.seconds.Add(int64(d.Seconds())) }

func (w *town) authorize(choices emulator.Choices) *url.URL {
	w.t.Helper()
	landed, err := emulator.Person{}.Authorize(w.t.Context(),
		w.PortalURL+"/oauth/authorize/?client_id=local.1&state=st%26te&redirect_uri=http://evil.test&scope=all", choices)
	if err != nil {
		w.t.Fatal(err)
	}
	return landed
}

// call makes a request and returns status and JSON; more parameters are pairs.
func (w *town) call(method, address string, params ...string) (int, map[string]any) {
	w.t.Helper()
	form := url.Values{}
	for i := 0; i < len(params); i += 2 {
		form.Set(params[i], params[i+1])
	}
	var resp *http.Response
	var err error
	if method == http.MethodPost {
		resp, err = http.PostForm(address, form)
	} else {
		resp, err = http.Get(address + "?" + form.Encode())
	}
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	var body map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&body); err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode, body
}

func (w *town) token(params ...string) (int, map[string]any) {
	w.t.Helper()
	return w.call(http.MethodPost, w.AuthServerURL+"/oauth/token/", append([]string{"client_id", "local.1", "client_secret", "s3cret"}, params...)...)
}

// connect authorizes and returns the first token reply.
func (w *town) connect() map[string]any {
	w.t.Helper()
	status, reply := w.token("grant_type", "authorization_code", "code", w.authorize(emulator.Choices{}).Query().Get("code"))
	if status != http.StatusOK {
		w.t.Fatalf("exchange: %d %v", status, reply)
	}
	return reply
}

func (w *town) user(accessToken string) string {
	w.t.Helper()
	_, reply := w.call(http.MethodGet, w.PortalURL+"/rest/user.current", "auth", accessToken)
	if result, ok := reply["result"].(map[string]any); ok {
		return result["EMAIL"].(string)
	}
	return reply["error"].(string)
}

func TestTheRedirectGoesToTheCardsAddressAndTellsTheHosts(t *testing.T) {
	w := newTown(t)
	landed := w.authorize(emulator.Choices{})
	if got := landed.Scheme + "://" + landed.Host + landed.Path; got != "http://hub.test/callback/b24" {
		t.Errorf("landed at %s, not at the address of the card", got)
	}
	for name, want := range map[string]string{
		"keep": "1", "state": "st&te", "scope": "crm,user",
		"domain":        strings.TrimPrefix(w.PortalURL, "http://"),
		"server_domain": strings.TrimPrefix(w.AuthServerURL, "http://"),
	} {
		if got := landed.Query().Get(name); got != want {
			t.Errorf("%s=%q, want %q", name, got, want)
		}
	}
	if len(landed.Query().Get("member_id")) != 32 || !strings.Contains(landed.RawQuery, "crm%2Cuser") {
		t.Errorf("query %s lacks member_id or the escaped comma", landed.RawQuery)
	}
}

func TestTheTokenReplyIsComplete(t *testing.T) {
	w := newTown(t)
	reply := w.connect()
	authServer := strings.TrimPrefix(w.AuthServerURL, "http://")
	want := fmt.Sprint("app 3600 1.8000036e+09 L 1 ", authServer, " ", w.AuthServerURL, "/rest/ ", w.PortalURL, "/rest/")
	got := fmt.Sprint(reply["scope"], " ", reply["expires_in"], " ", reply["expires"], " ", reply["status"], " ", reply["user_id"],
		" ", reply["domain"], " ", reply["server_endpoint"], " ", reply["client_endpoint"])
	if got != want || len(reply["member_id"].(string)) != 32 || reply["token_type"] != nil {
		t.Errorf("reply %v\n got %s\nwant %s", reply, got, want)
	}
	for _, name := range []string{"access_token", "refresh_token"} {
		expiry, err := hex.DecodeString(reply[name].(string)[:8])
		if err != nil {
			t.Fatal(err)
		}
		ttl := map[string]int64{"access_token": 3600, "refresh_token": 180 * 86400}[name]
		if got := int64(binary.LittleEndian.Uint32(expiry)) - w.now().Unix(); got != ttl {
			t.Errorf("%s tells by its first digits that it lives %d s, want %d", name, got, ttl)
		}
	}
}

func TestTheTokenEndpointTakesGetToo(t *testing.T) {
	w := newTown(t)
	status, reply := w.call(http.MethodGet, w.AuthServerURL+"/oauth/token/", "client_id", "local.1", "client_secret", "s3cret",
		"grant_type", "authorization_code", "code", w.authorize(emulator.Choices{Login: "boris@example.test"}).Query().Get("code"))
	if status != http.StatusOK || w.user(reply["access_token"].(string)) != "boris@example.test" {
		t.Errorf("%d %v", status, reply)
	}
	for _, ex := range w.Log() {
		if strings.Contains(fmt.Sprint(ex), "s3cret") {
			t.Errorf("the log holds the client secret: %+v", ex)
		}
	}
}

func TestRefreshingEndsThePairBefore(t *testing.T) {
	w := newTown(t)
	first := w.connect()
	_, second := w.token("grant_type", "refresh_token", "refresh_token", first["refresh_token"].(string))
	if got := w.user(first["access_token"].(string)); got != "invalid_token" {
		t.Errorf("the old access token is answered by %s", got)
	}
	if got := w.user(second["access_token"].(string)); got != "anna@example.test" {
		t.Errorf("the new access token is answered by %s", got)
	}
	if w.TokenState(first["access_token"].(string)) != emulator.Revoked || w.TokenState(second["access_token"].(string)) != emulator.Valid {
		t.Error("the judge disagrees with the portal")
	}
	status, again := w.token("grant_type", "refresh_token", "refresh_token", first["refresh_token"].(string))
	if status != http.StatusBadRequest || again["error"] != "invalid_grant" || w.Spent() != 1 {
		t.Errorf("reuse: %d %v, counted %d", status, again, w.Spent())
	}
	if grants := w.Grants(); len(grants) != 1 || grants[0].Generation != 2 {
		t.Errorf("grants %+v, want one in its second generation", grants)
	}
}

func TestTokensAndCodesLiveAsLongAsDocumented(t *testing.T) {
	w := newTown(t)
	code := w.authorize(emulator.Choices{}).Query().Get("code")
	w.pass(30 * time.Second)
	if status, reply := w.token("grant_type", "authorization_code", "code", code); reply["error"] != "expired_token" {
		t.Errorf("code after 30 s: %d %v", status, reply)
	}
	reply := w.connect()
	w.pass(3599 * time.Second)
	if got := w.user(reply["access_token"].(string)); got != "anna@example.test" {
		t.Errorf("access token after 3599 s: %s", got)
	}
	w.pass(time.Second)
	if got := w.user(reply["access_token"].(string)); got != "expired_token" {
		t.Errorf("access token after 3600 s: %s", got)
	}
	w.pass(180 * 24 * time.Hour)
	if _, reply := w.token("grant_type", "refresh_token", "refresh_token", reply["refresh_token"].(string)); reply["error"] != "invalid_grant" {
		t.Errorf("refresh token after 180 days: %v", reply)
	}
}

func TestTokenErrors(t *testing.T) {
	w := newTown(t)
	w.RegisterApp(bitrix24test.App{ClientID: "unpaid", ClientSecret: "x", Blocked: "PAYMENT_REQUIRED"})
	used := w.authorize(emulator.Choices{}).Query().Get("code")
	w.token("grant_type", "authorization_code", "code", used)
	tests := map[string]struct {
		params []string
		status int
		code   string
	}{
		"unknown app":       {[]string{"client_id", "nobody", "grant_type", "refresh_token", "refresh_token", "x"}, 200, "wrong_client"},
		"wrong secret":      {[]string{"client_secret", "guess", "grant_type", "refresh_token", "refresh_token", "x"}, 400, "invalid_client"},
		"unpaid":            {[]string{"client_id", "unpaid", "client_secret", "x", "grant_type", "refresh_token", "refresh_token", "x"}, 401, "PAYMENT_REQUIRED"},
		"no grant type":     {nil, 400, "invalid_request"},
		"no code":           {[]string{"grant_type", "authorization_code"}, 400, "invalid_request"},
		"used code":         {[]string{"grant_type", "authorization_code", "code", used}, 400, "expired_token"},
		"made up code":      {[]string{"grant_type", "authorization_code", "code", "abc"}, 400, "invalid_grant"},
		"made up refresh":   {[]string{"grant_type", "refresh_token", "refresh_token", "abc"}, 400, "invalid_grant"},
		"other grant types": {[]string{"grant_type", "password"}, 400, "invalid_request"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if status, reply := w.token(tc.params...); status != tc.status || reply["error"] != tc.code {
				t.Errorf("%d %v, want %d %s", status, reply, tc.status, tc.code)
			}
		})
	}
}

func TestAFaultByNameLooksLikeTheVendors(t *testing.T) {
	w := newTown(t)
	for code, want := range map[string]int{"wrong_client": 200, "PAYMENT_REQUIRED": 401, "PORTAL_DELETED": 403, "bad_verification_code": 400} {
		w.SetFault(emulator.Fault{Code: code})
		if status, reply := w.token("grant_type", "refresh_token", "refresh_token", "x"); status != want || reply["error"] != code {
			t.Errorf("%s: %d %v, want %d", code, status, reply, want)
		}
	}
	w.SetFault(emulator.Fault{Code: "QUERY_LIMIT_EXCEEDED", Path: "/rest/"})
	if got := w.user("x"); got != "QUERY_LIMIT_EXCEEDED" {
		t.Errorf("REST answers %s", got)
	}
}

func TestThePortalKeepsFailuresToItself(t *testing.T) {
	w := newTown(t)
	for name, tc := range map[string]struct {
		query   string
		choices emulator.Choices
		problem string
	}{
		"unknown app": {"?client_id=nobody&state=s", emulator.Choices{}, "invalid_client"},
		"refusal":     {"?client_id=local.1&state=s", emulator.Choices{Deny: true}, "access_denied"},
	} {
		landed, err := emulator.Person{}.Authorize(t.Context(), w.PortalURL+"/oauth/authorize/"+tc.query, tc.choices)
		if page, ok := errors.AsType[*emulator.PageError](err); !ok || page.Problem != tc.problem {
			t.Errorf("%s: landed at %v with %v, want a page with %s", name, landed, err, tc.problem)
		}
	}
}

func TestAnAppWithoutAddressShowsACodeThatWorks(t *testing.T) {
	w := newTown(t)
	pasted := card
	pasted.RedirectURI = ""
	w.RegisterApp(pasted)
	if reply := w.connect(); w.user(reply["access_token"].(string)) != "anna@example.test" {
		t.Errorf("reply %v", reply)
	}
}

func TestRestTakesTheTokenInThreePlacesAndTellsTheApp(t *testing.T) {
	w := newTown(t)
	token := w.connect()["access_token"].(string)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.PortalURL+"/rest/profile.json", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("header: %d", resp.StatusCode)
	}
	if status, reply := w.call(http.MethodPost, w.PortalURL+"/rest/profile/", "access_token", token); status != http.StatusOK {
		t.Errorf("access_token: %d %v", status, reply)
	}
	if status, reply := w.call(http.MethodGet, w.PortalURL+"/rest/profile"); status != 401 || reply["error"] != "NO_AUTH_FOUND" {
		t.Errorf("no token: %d %v", status, reply)
	}
	if _, reply := w.call(http.MethodGet, w.PortalURL+"/rest/crm.unheard.of", "auth", token); reply["error"] != "ERROR_METHOD_NOT_FOUND" {
		t.Errorf("unknown method: %v", reply)
	}
	_, reply := w.call(http.MethodGet, w.AuthServerURL+"/rest/app.info", "auth", token)
	info, _ := reply["result"].(map[string]any)
	if info["client_id"] != "local.1" || info["scope"] != "crm,user" || info["user_id"] != 1.0 || info["install"] == nil {
		t.Errorf("app.info %v", reply)
	}
	w.RegisterApp(bitrix24test.App{ClientID: "local.1", ClientSecret: "s3cret", RedirectURI: card.RedirectURI, Scopes: []string{"crm"}})
	if got := w.user(w.connect()["access_token"].(string)); got != "insufficient_scope" {
		t.Errorf("user.current without the scope user: %s", got)
	}
}

func TestTheHookSeesARotatedGrantBeforeTheReply(t *testing.T) {
	w := newTown(t)
	first := w.connect()
	var generation atomic.Int64
	w.SetOnToken(func(string) { generation.Store(int64(w.Grants()[0].Generation)) })
	w.SetFault(emulator.Fault{Late: true, Cut: true})
	resp, err := http.PostForm(w.AuthServerURL+"/oauth/token/", url.Values{
		"client_id": {"local.1"}, "client_secret": {"s3cret"}, "grant_type": {"refresh_token"}, "refresh_token": {first["refresh_token"].(string)},
	})
	if err == nil {
		_ = resp.Body.Close()
		t.Error("the reply was not lost")
	}
	if generation.Load() != 2 || w.TokenState(first["access_token"].(string)) != emulator.Revoked {
		t.Errorf("generation %d when the reply was lost, want 2", generation.Load())
	}
}
