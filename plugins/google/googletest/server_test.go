package googletest_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evergrant/evergrant/plugins/emulator"
	"github.com/evergrant/evergrant/plugins/google/googletest"
)

const (
	redirectURI = "http://hub.test/callback/calendar"
	calendar    = "https://www.googleapis.com/auth/calendar"
	events      = "https://www.googleapis.com/auth/calendar.events"
	verifier    = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
)

// cloud is an emulated Google with one client, and a clock that the test moves.
type cloud struct {
	*googletest.Server
	t       *testing.T
	seconds atomic.Int64
}

func newCloud(t *testing.T, config googletest.Config) *cloud {
	t.Helper()
	g := &cloud{t: t}
	config.Now = func() time.Time { return time.Unix(1_800_000_000+g.seconds.Load(), 0) }
	config.Clients = []googletest.Client{
		{ClientID: "hub", ClientSecret: "s3cret", RedirectURIs: []string{redirectURI}},
		{ClientID: "other", ClientSecret: "s3cret", RedirectURIs: []string{redirectURI}},
	}
	g.Server = googletest.New(config)
	if err := g.Start(""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.Close() })
	return g
}

func (g *cloud) pass(d time.Duration) { g.seconds.Add(int64(d.Seconds())) }

// request is the query of an authorization request; pairs change it, an empty value removes.
func request(pairs ...string) string {
	sum := sha256.Sum256([]byte(verifier))
	query := url.Values{
		"client_id": {"hub"}, "redirect_uri": {redirectURI}, "response_type": {"code"}, "state": {"xyz"}, "access_type": {"offline"},
		"scope":          {"openid email " + calendar + " " + events},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
	for i := 0; i < len(pairs); i += 2 {
		query.Set(pairs[i], pairs[i+1])
		if pairs[i+1] == "" {
			query.Del(pairs[i])
		}
	}
	return query.Encode()
}

func (g *cloud) authorize(query string, choices emulator.Choices) url.Values {
	g.t.Helper()
	landed, err := emulator.Person{}.Authorize(g.t.Context(), g.URL+"/o/oauth2/v2/auth?"+query, choices)
	if err != nil {
		g.t.Fatal(err)
	}
	return landed.Query()
}

// form posts pairs to a path and returns status and JSON.
func (g *cloud) form(path string, pairs ...string) (int, map[string]any) {
	g.t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	resp, err := http.PostForm(g.URL+path, form)
	return g.read(resp, err)
}

func (g *cloud) read(resp *http.Response, err error) (int, map[string]any) {
	g.t.Helper()
	if err != nil {
		g.t.Fatal(err)
	}
	defer resp.Body.Close()
	var body map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&body); err != nil {
		g.t.Fatal(err)
	}
	return resp.StatusCode, body
}

func (g *cloud) exchange(code string, more ...string) (int, map[string]any) {
	g.t.Helper()
	return g.form("/token", append([]string{"client_id", "hub", "client_secret", "s3cret", "grant_type", "authorization_code",
		"code", code, "redirect_uri", redirectURI, "code_verifier", verifier}, more...)...)
}

func (g *cloud) refresh(token any) (int, map[string]any) {
	g.t.Helper()
	text, _ := token.(string)
	return g.form("/token", "client_id", "hub", "client_secret", "s3cret", "grant_type", "refresh_token", "refresh_token", text)
}

func (g *cloud) connect(pairs ...string) map[string]any {
	g.t.Helper()
	status, reply := g.exchange(g.authorize(request(pairs...), emulator.Choices{}).Get("code"))
	if status != http.StatusOK {
		g.t.Fatalf("exchange: %d %v", status, reply)
	}
	return reply
}

func (g *cloud) api(path string, token any) (int, map[string]any) {
	g.t.Helper()
	req, err := http.NewRequestWithContext(g.t.Context(), http.MethodGet, g.URL+path, http.NoBody)
	if err != nil {
		g.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token.(string))
	resp, err := http.DefaultClient.Do(req)
	return g.read(resp, err)
}

func TestAConnectionFromConsentToCalendar(t *testing.T) {
	g := newCloud(t, googletest.Config{})
	landed := g.authorize(request(), emulator.Choices{})
	if landed.Get("state") != "xyz" || !strings.Contains(landed.Get("scope"), calendar) {
		t.Errorf("landed with %v", landed)
	}
	status, reply := g.exchange(landed.Get("code"))
	if status != http.StatusOK || reply["expires_in"] != 3600.0 || reply["token_type"] != "Bearer" || reply["refresh_token"] == nil || reply["id_token"] == nil {
		t.Fatalf("%d %v", status, reply)
	}
	want := "openid https://www.googleapis.com/auth/userinfo.email " + calendar + " " + events
	if reply["scope"] != want {
		t.Errorf("scope %v, want %s", reply["scope"], want)
	}
	if _, list := g.api("/calendar/v3/users/me/calendarList", reply["access_token"]); list["items"] == nil {
		t.Errorf("calendars %v", list)
	}
	if _, who := g.api("/v1/userinfo", reply["access_token"]); who["email"] != "anna@example.test" || who["sub"] == nil || who["name"] != nil {
		t.Errorf("userinfo %v, want an e-mail address and no name, which needs the scope profile", who)
	}
	if _, info := g.form("/tokeninfo", "access_token", reply["access_token"].(string)); info["aud"] != "hub" || info["expires_in"] != "3600" {
		t.Errorf("tokeninfo %v", info)
	}
	g.pass(time.Hour)
	if status, body := g.api("/calendar/v3/users/me/calendarList", reply["access_token"]); status != http.StatusUnauthorized {
		t.Errorf("after an hour: %d %v", status, body)
	}
	if status, body := g.form("/tokeninfo", "access_token", reply["access_token"].(string)); status != 400 || body["error"] != "invalid_token" {
		t.Errorf("tokeninfo after an hour: %d %v", status, body)
	}
}

func TestRefreshingLeavesTheRefreshTokenAndOlderAccessTokens(t *testing.T) {
	g := newCloud(t, googletest.Config{})
	first := g.connect()
	for range 2 {
		status, reply := g.refresh(first["refresh_token"])
		if status != http.StatusOK || reply["refresh_token"] != nil || g.TokenState(reply["access_token"].(string)) != emulator.Valid {
			t.Fatalf("%d %v", status, reply)
		}
	}
	if g.TokenState(first["access_token"].(string)) != emulator.Valid || g.Spent() != 0 || g.Grants()[0].Generation != 3 {
		t.Errorf("grants %+v", g.Grants())
	}
}

func TestARefreshTokenComesWithTheFirstOfflineConsentOrWhenConsentIsAsked(t *testing.T) {
	g := newCloud(t, googletest.Config{})
	for _, step := range []struct {
		name  string
		pairs []string
		want  bool
	}{
		{"online", []string{"access_type", ""}, false},
		{"first offline", nil, true},
		{"second offline", nil, false},
		{"prompt without consent", []string{"prompt", "select_account"}, false},
		{"prompt=consent", []string{"prompt", "select_account consent"}, true},
		{"prompt=consent, online", []string{"prompt", "consent", "access_type", "online"}, false},
	} {
		if reply := g.connect(step.pairs...); (reply["refresh_token"] != nil) != step.want {
			t.Errorf("%s: refresh token %v, want %v", step.name, reply["refresh_token"] != nil, step.want)
		}
	}
}

func TestUntickedScopesAreNotGranted(t *testing.T) {
	g := newCloud(t, googletest.Config{})
	untick := emulator.Choices{UntickScopes: []string{calendar, "openid"}}
	_, reply := g.exchange(g.authorize(request(), untick).Get("code"))
	if got := strings.Fields(reply["scope"].(string)); slices.Contains(got, calendar) || !slices.Contains(got, events) || !slices.Contains(got, "openid") {
		t.Errorf("granted %v", got)
	}
	if status, body := g.api("/calendar/v3/users/me/calendarList", reply["access_token"]); status != http.StatusForbidden {
		t.Errorf("calendars without the scope: %d %v", status, body)
	}
	more := g.connect("scope", calendar, "include_granted_scopes", "true")
	if got := strings.Fields(more["scope"].(string)); !slices.Contains(got, events) || !slices.Contains(got, calendar) {
		t.Errorf("with include_granted_scopes: %v", got)
	}
	if landed := g.authorize(request("scope", calendar), untick); landed.Get("error") != "access_denied" {
		t.Errorf("nothing ticked: landed with %v", landed)
	}
}

func TestWhereAuthorizationFails(t *testing.T) {
	g := newCloud(t, googletest.Config{})
	for name, tc := range map[string]struct {
		pairs   []string
		problem string
		status  int
	}{
		"unknown client":   {[]string{"client_id", "nobody"}, "invalid_client", 401},
		"redirect_uri":     {[]string{"redirect_uri", redirectURI + "/"}, "redirect_uri_mismatch", 400},
		"response_type":    {[]string{"response_type", "token"}, "unsupported_response_type", 400},
		"unknown scope":    {[]string{"scope", "everything"}, "invalid_scope", 400},
		"no scope":         {[]string{"scope", ""}, "invalid_scope", 400},
		"challenge method": {[]string{"code_challenge_method", "S512"}, "invalid_request", 400},
		"no challenge":     {[]string{"code_challenge", ""}, "invalid_request", 400},
		"access_type":      {[]string{"access_type", "always"}, "invalid_request", 400},
	} {
		landed, err := emulator.Person{}.Authorize(t.Context(), g.URL+"/o/oauth2/v2/auth?"+request(tc.pairs...), emulator.Choices{})
		if page, ok := errors.AsType[*emulator.PageError](err); !ok || page.Problem != tc.problem || page.Status != tc.status {
			t.Errorf("%s: landed at %v with %v, want a page with %s", name, landed, err, tc.problem)
		}
	}
	if landed := g.authorize(request(), emulator.Choices{Deny: true}); landed.Get("error") != "access_denied" || landed.Get("state") != "xyz" {
		t.Errorf("denied: landed with %v", landed)
	}
	if landed := g.authorize(request("prompt", "none"), emulator.Choices{}); landed.Get("error") != "interaction_required" {
		t.Errorf("prompt=none: landed with %v", landed)
	}
}

func TestTokenErrors(t *testing.T) {
	g := newCloud(t, googletest.Config{})
	fresh := func(pairs ...string) string { return g.authorize(request(pairs...), emulator.Choices{}).Get("code") }
	used := fresh()
	g.exchange(used)
	old := fresh()
	g.pass(10 * time.Minute)
	for name, tc := range map[string]struct {
		code  string
		more  []string
		error string
	}{
		"unknown client":     {fresh(), []string{"client_id", "nobody"}, "401 invalid_client"},
		"wrong secret":       {fresh(), []string{"client_secret", "guess"}, "401 invalid_client"},
		"no code":            {"", nil, "400 invalid_request"},
		"used code":          {used, nil, "400 invalid_grant"},
		"old code":           {old, nil, "400 invalid_grant"},
		"made up code":       {"4/0abc", nil, "400 invalid_grant"},
		"another's code":     {fresh("client_id", "other"), nil, "400 invalid_grant"},
		"other redirect_uri": {fresh(), []string{"redirect_uri", "http://evil.test"}, "400 redirect_uri_mismatch"},
		"wrong verifier":     {fresh(), []string{"code_verifier", "guess"}, "400 invalid_grant"},
		"no verifier":        {fresh(), []string{"code_verifier", ""}, "400 invalid_grant"},
		"stray verifier":     {fresh("code_challenge", "", "code_challenge_method", ""), nil, "400 invalid_grant"},
		"grant type":         {"x", []string{"grant_type", "password"}, "400 unsupported_grant_type"},
	} {
		status, reply := g.exchange(tc.code, tc.more...)
		if want := strings.Fields(tc.error); reply["error"] != want[1] || status != map[string]int{"400": 400, "401": 401}[want[0]] {
			t.Errorf("%s: %d %v, want %s", name, status, reply, tc.error)
		}
	}
}

func TestPlainChallengesAreTheDefault(t *testing.T) {
	g := newCloud(t, googletest.Config{})
	code := g.authorize(request("code_challenge", verifier, "code_challenge_method", ""), emulator.Choices{}).Get("code")
	if status, reply := g.exchange(code); status != http.StatusOK {
		t.Errorf("%d %v", status, reply)
	}
}

func TestHowRefreshTokensDie(t *testing.T) {
	dead := func(g *cloud, token any) bool {
		status, reply := g.refresh(token)
		return status == http.StatusBadRequest && reply["error"] == "invalid_grant" && reply["error_description"] == "Token has been expired or revoked."
	}
	t.Run("revoked", func(t *testing.T) {
		g := newCloud(t, googletest.Config{})
		first := g.connect()
		if status, _ := g.form("/revoke", "token", first["access_token"].(string)); status != http.StatusOK {
			t.Errorf("revoke: %d", status)
		}
		if !dead(g, first["refresh_token"]) || g.TokenState(first["access_token"].(string)) != emulator.Revoked {
			t.Error("the grant outlived its revocation")
		}
		if status, reply := g.form("/revoke", "token", "abc"); status != 400 || reply["error"] != "invalid_token" {
			t.Errorf("revoking an unknown token: %d %v", status, reply)
		}
		if again := g.connect(); again["refresh_token"] == nil {
			t.Error("consent after a revocation is not a first consent")
		}
	})
	t.Run("unused", func(t *testing.T) {
		g := newCloud(t, googletest.Config{})
		token := g.connect()["refresh_token"]
		g.pass(182 * 24 * time.Hour)
		if dead(g, token) {
			t.Error("dead after 182 days")
		}
		g.pass(182 * 24 * time.Hour)
		if dead(g, token) {
			t.Error("dead although it was used")
		}
		g.pass(183 * 24 * time.Hour)
		if !dead(g, token) {
			t.Error("alive after half a year without use")
		}
	})
	t.Run("app in testing", func(t *testing.T) {
		g := newCloud(t, googletest.Config{RefreshTTL: 7 * 24 * time.Hour})
		reply := g.connect()
		if reply["refresh_token_expires_in"] != 604800.0 {
			t.Errorf("reply %v", reply)
		}
		g.pass(6 * 24 * time.Hour)
		if dead(g, reply["refresh_token"]) {
			t.Error("dead after 6 days")
		}
		g.pass(24 * time.Hour)
		if !dead(g, reply["refresh_token"]) {
			t.Error("use has lengthened its life")
		}
	})
	t.Run("too many", func(t *testing.T) {
		g := newCloud(t, googletest.Config{RefreshLimit: 2})
		first := g.connect()
		g.connect("prompt", "consent")
		if dead(g, first["refresh_token"]) {
			t.Error("dead before the limit")
		}
		g.connect("prompt", "consent")
		if !dead(g, first["refresh_token"]) {
			t.Error("alive beyond the limit")
		}
	})
}
