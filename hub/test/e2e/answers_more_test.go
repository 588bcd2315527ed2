package e2e_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// moreAnswers are inputs that are no answer to a refresh.
func moreAnswers(t *testing.T, r *hubtest.Running, a *answering) []answerRow {
	t.Helper()
	rows := callbackAnswers(t, r, a)
	rows = append(rows, pastedAnswers(t, r, a)...)
	rows = append(rows, reauthorizations(t, r, a)...)
	rows = append(rows, tooMany(t, r, a)...)
	return append(rows, givenBack(t, r, a)...)
}

// callbackAnswers are ways in which a browser comes back.
func callbackAnswers(t *testing.T, r *hubtest.Running, a *answering) []answerRow {
	t.Helper()
	served(t, r, a, "back", nil)
	var rows []answerRow
	for _, test := range []struct {
		cause, service, query, says, source string
		status                              int
	}{
		{"the person cancelled", "LinkedIn", "error=user_cancelled_authorize&state=STATE", "You did not agree", "https://github.com/yiisoft/yii2-authclient/pull/250", 400},
		{"the person cancelled", "LinkedIn", "error=user_cancelled_login&error_description=The+user+cancelled+LinkedIn+login&state=STATE", "You did not agree", "https://github.com/yiisoft/yii2/issues/16454", 400},
		{"the person refused", "RFC 6749", "error=access_denied&state=STATE", "You did not agree", "https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1", 400},
		{"an error without its state", "any", "error=access_denied", "You did not agree", "reported by people who tried the hub", 400},
		{"an error without its state", "any", "error=invalid_scope&error_description=unknown+scope", "unknown scope", "reported by people who tried the hub", 502},
		{"neither code nor error", "any", "state=STATE", "sent no code", "https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2", 400},
		{"a state that is not awaited", "any", "code=x&state=unknown", "no longer waiting", "https://www.rfc-editor.org/rfc/rfc6749#section-10.12", 400},
	} {
		status, page := hubtest.Send(t, comeBack(t, r, "back", test.query))
		if status != test.status || !strings.Contains(page, test.says) {
			t.Errorf("%s: %d, and the page does not say %q", test.query, status, test.says)
		}
		who := "the person"
		if status == http.StatusBadGateway {
			who = "the operator"
		}
		rows = append(rows, answerRow{test.cause, test.service, "callback with `" + test.query + "`", "the page says: " + test.says + "; nothing changes", who, test.source})
	}
	return append(rows, browserAnswers(t, r)...)
}

// browserAnswers are about the browser that comes back.
func browserAnswers(t *testing.T, r *hubtest.Running) []answerRow {
	t.Helper()
	const tabs, scanner = "https://github.com/auth0/nextjs-auth0/issues/142", "reported by people who tried the hub"
	first, second := comeBack(t, r, "back", "code=one&state=STATE"), comeBack(t, r, "back", "code=two&state=STATE")
	for _, cookie := range second.Cookies() {
		first.AddCookie(cookie) // one browser has both
	}
	bare := first.Clone(t.Context())
	bare.Header.Del("Cookie")
	if status, page := hubtest.Send(t, bare); status != http.StatusBadRequest || !strings.Contains(page, "another browser") {
		t.Errorf("without a cookie: %d", status)
	}
	early := first.Clone(t.Context())
	early.Header.Set("Sec-Purpose", "prefetch")
	if status, _ := hubtest.Send(t, early); status != http.StatusServiceUnavailable {
		t.Errorf("a prefetch: %d", status)
	}
	if status, page := hubtest.Send(t, first); status != http.StatusOK {
		t.Errorf("the first tab: %d\n%s", status, page)
	}
	form := comeBack(t, r, "back", "code=three&state=STATE")
	posted, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.Hub.URL()+"/callback/back", strings.NewReader(form.URL.RawQuery))
	if err != nil {
		t.Fatal(err)
	}
	posted.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	posted.Header.Set("Origin", "https://service.example")
	posted.Header.Set("Sec-Fetch-Site", "cross-site")
	resp, err := http.DefaultTransport.RoundTrip(posted)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	led := form.Clone(t.Context())
	led.URL, _ = url.Parse(r.Hub.URL() + resp.Header.Get("Location"))
	if status, _ := hubtest.Send(t, led); resp.StatusCode != http.StatusSeeOther || status != http.StatusOK {
		t.Errorf("a posted callback: %d, then %d", resp.StatusCode, status)
	}
	return []answerRow{
		{"two authorizations at once in one browser", "any", "start A, start B, finish A", "A is connected, B is still awaited", "nobody", tabs},
		{"a scanner follows the callback first", "mail and messenger scanners", "callback without the browser's cookie", "told that another browser started it; the state is not used up", "nobody", scanner},
		{"a prefetch of the callback", "browsers", "callback with `Sec-Purpose: prefetch`", "answered 503; the state is not used up", "nobody", scanner},
		{"response_mode=form_post", "Microsoft, Apple", "callback by POST from the service's page", "led on to the same address by GET, where the browser's cookie comes along; connected", "nobody", "https://openid.net/specs/oauth-v2-form-post-response-mode-1_0.html"},
	}
}

// pastedAnswers are what people paste.
func pastedAnswers(t *testing.T, r *hubtest.Running, a *answering) []answerRow {
	t.Helper()
	served(t, r, a, "pasted", nil)
	var rows []answerRow
	for _, test := range []struct{ cause, pasted string }{
		{"a pasted address", "https://app.example/cb?code=abc&state=STATE"},
		{"a pasted address without its scheme", "app.example/cb?code=abc&state=STATE"},
		{"a pasted address in brackets", "<https://app.example/cb?code=abc&state=STATE>"},
		{"a pasted code in percent-encoding", "4%2F0AfJoh%3Dx"},
	} {
		var s hubtest.Started
		r.Admin.Must(t, "POST", "/api/v1/connections/pasted/authorizations", nil, &s)
		u, _ := url.Parse(s.AuthorizeURL)
		pasted := strings.ReplaceAll(test.pasted, "STATE", u.Query().Get("state"))
		wanted := ""
		a.on("/token/pasted", func(w http.ResponseWriter, form url.Values) {
			wanted = form.Get("code")
			firstTokens(w, form)
		})
		r.Admin.Must(t, "POST", "/api/v1/connections/pasted/authorizations/pasted", map[string]any{"pasted": pasted}, nil)
		if wanted != "abc" && wanted != "4/0AfJoh=x" {
			t.Errorf("%s: the service got the code %q", test.pasted, wanted)
		}
		rows = append(rows, answerRow{test.cause, "any", "`" + test.pasted + "`", "the code is read and exchanged; connected", "nobody", "reported by people who tried the hub"})
	}
	return rows
}

// reauthorizations are second grants of a connection that has one.
func reauthorizations(t *testing.T, r *hubtest.Running, a *answering) []answerRow {
	t.Helper()
	const once, lost = "https://github.com/lowcoder-org/lowcoder/issues/763", "https://github.com/dnplus/streamlit-oauth/issues/87"
	account := func(w http.ResponseWriter, _ url.Values) { reply(w, 200, `{"sub":"ann","email":"ann@example.test"}`) }
	without := func(w http.ResponseWriter, _ url.Values) {
		reply(w, 200, `{"access_token":"second-access","expires_in":600}`)
	}
	kept := func(name string) string {
		var codes struct{ RefreshToken, AccessToken string }
		r.Admin.Must(t, "GET", "/api/v1/connections/"+name+"/access-codes?refresh_token=true", nil, &codes)
		return codes.AccessToken + " " + codes.RefreshToken
	}
	// The account is proven, and the service does not replace the refresh token.
	served(t, r, a, "again", map[string]any{"rotation": "none", "userinfo_endpoint": a.URL + "/me/again"})
	a.on("/me/again", account)
	granted(t, r, "again")
	a.on("/token/again", without)
	granted(t, r, "again")
	if got := kept("again"); got != "second-access first-refresh" {
		t.Errorf("the same account again: %s", got)
	}
	// A renewal shows that somebody else has the grant now.
	a.on("/me/again", func(w http.ResponseWriter, _ url.Values) { reply(w, 200, `{"sub":"bob","email":"bob@example.test"}`) })
	a.on("/token/again", func(w http.ResponseWriter, _ url.Values) {
		reply(w, 200, `{"access_token":"bobs-access","expires_in":600,"user":"bob"}`)
	})
	r.Admin.Must(t, "POST", "/api/v1/connections/again/renew", nil, nil)
	hubtest.Eventually(t, "the account that the service names is shown", func() bool {
		account := r.View(t, "again").Account
		return account != nil && account.ID == "bob" && account.Name == "bob@example.test"
	})
	hubtest.Eventually(t, "the change of the account is recorded", func() bool {
		_, body := r.Admin.Do(t, "GET", "/api/v1/audit?act=connection.account", nil)
		return strings.Contains(string(body), `"object":"again"`) && strings.Contains(string(body), `"bob@example.test"`)
	})
	// userinfo fails.
	a.on("/me/again", func(w http.ResponseWriter, _ url.Values) { reply(w, 500, `{}`) })
	if status, page := hubtest.Send(t, comeBack(t, r, "again", "code=x&state=STATE")); status != http.StatusConflict || !strings.Contains(page, "whose account") {
		t.Errorf("userinfo fails: %d", status)
	}
	// The account is not known.
	served(t, r, a, "unproven", map[string]any{"rotation": "none"})
	granted(t, r, "unproven")
	a.on("/token/unproven", without)
	if status, page := hubtest.Send(t, comeBack(t, r, "unproven", "code=x&state=STATE")); status != http.StatusConflict || !strings.Contains(page, "could not be renewed") {
		t.Errorf("an unknown account: %d", status)
	}
	if got := kept("unproven"); got != "first-access first-refresh" {
		t.Errorf("an unknown account replaced the grant: %s", got)
	}
	boss := r.Owner(t)
	if _, page, _ := boss.Ask("GET", "/connections/unproven", nil); !strings.Contains(page, `id="offered"`) || !strings.Contains(page, "could not be renewed any more") {
		t.Error("the connection's page does not ask what to do with what is kept aside")
	}
	if status, _, to := boss.Ask("POST", "/connections/again/offer/drop", url.Values{}); status != http.StatusSeeOther || to != "/connections/again" {
		t.Errorf("dropping what is kept aside: %d %s", status, to)
	}
	if _, page, _ := boss.Ask("GET", "/connections/again", nil); strings.Contains(page, `id="offered"`) {
		t.Error("what was dropped is still offered")
	}
	r.Admin.Must(t, "POST", "/api/v1/connections/unproven/authorizations/offered", map[string]any{"take": true}, nil)
	if got := kept("unproven"); got != "second-access " {
		t.Errorf("taken on purpose: %s", got)
	}
	// A first grant without a refresh token promises nothing.
	served(t, r, a, "ending", nil)
	a.on("/token/ending", without)
	if _, page := hubtest.Send(t, comeBack(t, r, "ending", "code=x&state=STATE")); strings.Contains(page, "keeps the access alive") || !strings.Contains(page, "nothing to renew") {
		t.Error("a grant without a refresh token is promised to be kept alive")
	}
	return []answerRow{
		{"re-authorization without a refresh token, same account", "Google", "exchange answered without `refresh_token`; the account is the same, the service does not rotate", "the new access token is kept beside the old refresh token", "nobody", once},
		{"re-authorization without a refresh token, account unknown", "any", "exchange answered without `refresh_token`; nothing tells whose it is", "the old grant stays; the new one is kept aside for 15 minutes, to be taken on purpose", "an administrator", lost},
		{"the account has changed at a renewal", "any", "refresh answered well with `\"user\": \"bob\"`, userinfo then names another account", "the new tokens are saved; the connection shows the account that the service names now; the audit has both", "nobody", "reported by people who tried the hub"},
		{"userinfo fails at re-authorization", "any", "exchange answered well, userinfo by 500", "the old grant stays; the new one is kept aside for 15 minutes, to be taken on purpose", "an administrator", "reported by people who tried the hub"},
		{"a first grant without a refresh token", "canvas and others", "exchange answered without `refresh_token`", "connected; the page says that it cannot be renewed and when it ends", "the person, at its end", "https://github.com/vishalsachdev/canvas-mcp/issues/146"},
	}
}

// tooMany are about what is asked too often or too early.
func tooMany(t *testing.T, r *hubtest.Running, a *answering) []answerRow {
	t.Helper()
	served(t, r, a, "busy", nil)
	r.Admin.Must(t, "POST", "/api/v1/connections", map[string]any{"service": "busy", "name": "calm", "title": "calm"}, nil)
	granted(t, r, "busy")
	var s hubtest.Started
	r.Admin.Must(t, "POST", "/api/v1/connections/calm/authorizations", nil, &s)
	u, _ := url.Parse(s.AuthorizeURL)
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, r.Hub.URL()+"/callback/busy?code=x&state="+u.Query().Get("state"), nil)
	req.AddCookie(&http.Cookie{Name: s.BrowserCookie.Name, Value: s.BrowserCookie.Value})
	hubtest.Send(t, req)
	a.on("/token/busy", func(w http.ResponseWriter, _ url.Values) {
		w.Header().Set("Retry-After", "3600")
		reply(w, 429, `{"error":"too_many_requests"}`)
	})
	r.Admin.Do(t, "POST", "/api/v1/connections/busy/renew", nil)
	a.on("/token/busy", nil)
	if status, body := r.Admin.Do(t, "POST", "/api/v1/connections/calm/renew", nil); status != http.StatusOK || !strings.Contains(string(body), `"changed":true`) {
		t.Errorf("another account of the endpoint: %d %s", status, body)
	}
	served(t, r, a, "late", map[string]any{"renew_window": "after_expiry"})
	granted(t, r, "late")
	asked := a.count("/token/late")
	status, body := r.Admin.Do(t, "POST", "/api/v1/connections/late/renew", nil)
	if status != http.StatusServiceUnavailable || !strings.Contains(string(body), "only once it has expired") || a.count("/token/late") != asked {
		t.Errorf("renew now, too early: %d %s", status, body)
	}
	if _, body := r.Admin.Do(t, "POST", "/api/v1/connections/late/resume", nil); !strings.Contains(string(body), `"changed":false`) {
		t.Errorf("an act that changes nothing: %s", body)
	}
	return []answerRow{
		{"one account of many is throttled", "any", "429 with `Retry-After: 3600` to one connection", "that connection waits; the others of the endpoint are renewed", "nobody", "https://github.com/mozilla/fxa/issues/2397"},
		{"renewed now, too early", "hh.ru", "“Renew now” where the service is declared to renew after the expiry", "nothing is sent, and the answer (503) says why and until when", "nobody", "https://github.com/hhru/api/issues/130"},
		{"an act that changes nothing", "the hub's API", "resume of a connection that is not paused", "answered 200 with `changed: false`", "nobody", "reported by people who tried the hub"},
	}
}

// givenBack are grants that are given up.
func givenBack(t *testing.T, r *hubtest.Running, a *answering) []answerRow {
	t.Helper()
	served(t, r, a, "mute", nil)
	granted(t, r, "mute")
	if _, body := r.Admin.Do(t, "POST", "/api/v1/connections/mute/revoke", nil); !strings.Contains(string(body), `"supported":false`) || !strings.Contains(string(body), `"told":false`) {
		t.Errorf("a service without revocation: %s", body)
	}
	served(t, r, a, "down", map[string]any{"revocation_endpoint": a.URL + "/revoke/down"})
	granted(t, r, "down")
	a.on("/revoke/down", func(w http.ResponseWriter, _ url.Values) { reply(w, 503, `{}`) })
	status, body := r.Admin.Do(t, "DELETE", "/api/v1/connections/down?revoke=true", nil)
	if status != http.StatusOK || !strings.Contains(string(body), `"told":false`) || !strings.Contains(string(body), "retry_until") {
		t.Errorf("a revocation that fails: %d %s", status, body)
	}
	if _, body := r.Admin.Do(t, "GET", "/api/v1/audit?act=connection.revoke_failed", nil); !strings.Contains(string(body), `"object":"down"`) {
		t.Errorf("it is not audited: %s", body)
	}
	return []answerRow{
		{"no revocation at the service", "Bitrix24", "revocation where the service has no endpoint for it", "the tokens are forgotten; the answer and the page say that the service was not told", "the person, at the service", "https://apidocs.bitrix24.com/settings/oauth/index.html"},
		{"a revocation that fails", "any", "deletion while the revocation endpoint answers 503", "deleted; the answer says that the service was not told, it is tried again for a day, and audited", "nobody", "https://www.rfc-editor.org/rfc/rfc7009#section-2.2.1"},
	}
}
