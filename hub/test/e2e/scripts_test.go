package e2e_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/hub/internal/pluginhost/plugintest"
	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// scriptText breaks out of text, of attributes and of scripts if a page lets it.
const scriptText = `"'></script><script>owned('field')</script><img src=x onerror=owned('field')>`

// watcher is a visitor who looks for scripts in every page.
type watcher struct {
	*hubtest.Visitor

	pages int
	seen  map[string]bool // words of which a page has shown the escaped form
}

var ownedRE = regexp.MustCompile(`owned\((?:&#39;|&#x27;|')([a-z ]+)`)

func (w *watcher) ask(method, path string, form url.Values) (status int, page, location string) {
	w.T.Helper()
	status, page, location = w.Ask(method, path, form)
	w.pages++
	for _, raw := range []string{"<script>owned", "<img src=x", `"'></script>`, "</script><script>"} {
		if strings.Contains(page, raw) {
			at := strings.Index(page, raw)
			w.T.Errorf("%s %s: what is only text became part of the page: …%s…", method, path, page[max(0, at-80):min(len(page), at+120)])
		}
	}
	if strings.Contains(page, `href="javascript:`) {
		w.T.Errorf("%s %s: a link runs a script", method, path)
	}
	for _, m := range ownedRE.FindAllStringSubmatch(page, -1) {
		w.seen[m[1]] = true
	}
	return status, page, location
}

// startScripted starts a hub with the plugin whose every word is a script.
func startScripted(t *testing.T) *hubtest.Running {
	t.Helper()
	dir := t.TempDir()
	if _, err := plugintest.Put(dir, "scripted", "hub/test/e2e/testdata/scripted"); err != nil {
		t.Fatal(err)
	}
	return hubtest.StartHub(t, map[string]any{"plugins.dir": dir})
}

// Whatever people type, and whatever a plugin or a service says, is text in every
// page that shows it.
func TestNoPageTakesWordsForScripts(t *testing.T) {
	t.Parallel()
	r := startScripted(t)
	w := &watcher{Visitor: r.Owner(t), seen: map[string]bool{}}
	s := scriptText
	w.ask("GET", "/services/new", nil)
	w.ask("GET", "/services/new/scripted", nil)
	form := url.Values{
		"name": {"bad"}, "title": {s}, "client_id": {s}, "client_secret": {s}, "scopes": {s}, "more_scopes": {s}, "options.place": {s}, "options.kind": {"a"},
		"redirect_uri": {"https://hub.example/?x=" + s}, "private_hosts": {""},
	}
	for field := range form { // each wrong on its own, to see it in a form again
		wrong := url.Values{"name": {s}, "client_id": {s}, field: {s}}
		w.ask("POST", "/services/new/scripted", wrong)
		w.ask("POST", "/services/new/scripted/check", wrong)
	}
	form.Del("redirect_uri")
	w.ask("POST", "/services/new/scripted/check", form)
	if status, page, _ := w.ask("POST", "/services/new/scripted", form); status != http.StatusSeeOther {
		t.Fatalf("adding the service answers %d: %s", status, page)
	}
	for _, f := range []url.Values{{"service": {"bad"}, "name": {s}, "title": {s}}, {"service": {"bad"}, "name": {"grant"}, "title": {s}}} {
		w.ask("POST", "/connections/new", f)
	}
	w.ask("POST", "/connections/import", url.Values{"service": {"bad"}, "name": {s}, "title": {s}, "grant": {s}})
	w.ask("POST", "/connections/import/table", url.Values{"table": {"service;name;title;refresh_token\nbad;" + s + ";" + s + ";x\n"}})
	w.ask("POST", "/connections/grant/tags", url.Values{"tags": {s}})
	w.ask("POST", "/keys/new", url.Values{"title": {s}, "which": {"all"}, "life": {"30d"}, "addresses": {s}, "tags": {s}})
	w.ask("POST", "/keys/new", url.Values{"title": {s}, "which": {"all"}, "life": {"30d"}})
	w.ask("POST", "/people/invite", url.Values{"login": {s}, "role": {"viewer"}})
	w.ask("POST", "/people/invite", url.Values{"login": {s}, "role": {s}})
	authorize(t, w)
	w.ask("POST", "/connections/grant/paste", url.Values{"pasted": {s}})
	w.ask("POST", "/connections/grant/renew", url.Values{})
	hubtest.Eventually(t, "the failure is an incident", func() bool {
		_, page, _ := w.ask("GET", "/", nil)
		return strings.Contains(page, "refresh remedy")
	})
	w.ask("POST", "/connections/grant/codes", url.Values{"refresh_token": {"true"}})
	w.ask("GET", "/connections/grant/codes", nil)
	w.ask("POST", "/connections/grant/link", url.Values{})
	w.ask("POST", "/connections/grant/revoke", url.Values{})
	w.ask("POST", "/bulk", url.Values{"act": {"tag"}, "tag": {s}, "names": {"grant", s}})
	w.ask("POST", "/settings/password", url.Values{"present": {s}, "next": {s}, "repeat": {s}})
	escalationWords(t, w)
	w.ask("POST", "/preferences", url.Values{"lang": {s}, "theme": {s}, "return_to": {s}})

	everyPage(t, r, w)
	for _, where := range []string{
		"field", "title", "summary", "step", "notice", "option", "help", "example", "choice", "choices", "scope title", "exchange message", "exchange remedy",
		"refresh message", "refresh remedy", "account", "granted", "stderr",
	} {
		if !w.seen[where] {
			t.Errorf("no page has shown %q, so nothing is known of it", where)
		}
	}
	t.Logf("%d pages looked at", w.pages)
}

// escalationWords are the titles, texts and addresses of who is told of trouble.
func escalationWords(t *testing.T, w *watcher) {
	t.Helper()
	s := scriptText
	for _, kind := range []string{"smtp", "telegram", "webhook", "twilio"} {
		w.ask("POST", "/escalation/channels/new/"+kind, url.Values{"title": {s}, "settings.host": {s}, "settings.from": {s}, "settings.token": {s}, "settings.secret": {s}, "settings.base_url": {s}})
	}
	_, page, channel := w.ask("POST", "/escalation/channels/new/webhook", url.Values{"title": {s}, "settings.secret": {"whsec_ZXZlcmdyYW50LWNoYW5uZWxzLXdlYmhvb2stc2VjcmV0"}})
	if !strings.HasPrefix(channel, "/escalation/channels/") {
		t.Fatalf("the channel was not added: %s", page)
	}
	w.ask("GET", channel, nil)
	w.ask("POST", channel+"/test", url.Values{"to": {s}})
	w.ask("POST", channel+"/test", url.Values{"to": {"http://127.0.0.1:1/"}})
	w.ask("GET", channel, nil)
	id := strings.TrimPrefix(channel, "/escalation/channels/")
	w.ask("POST", "/escalation/contacts/new", url.Values{"title": {s}, "lang": {s}, "zone": {s}, "user": {s}, "quiet_from": {s}, "quiet_until": {s}, "address." + id: {s}})
	w.ask("POST", "/escalation/contacts/new", url.Values{"title": {s}, "lang": {"en"}, "zone": {"UTC"}, "takes_rest": {"true"}, "address." + id: {"http://127.0.0.1:1/hook"}})
	w.ask("POST", "/escalation/policies/new", url.Values{"title": {s}, "events": {s}, "after": {s}, "to": {s}, "channel": {s}, "tags": {s}, "services": {s}})
	w.ask("POST", "/escalation/policies/new", url.Values{"title": {s}, "enabled": {"true"}, "events": {"grant_ended"}, "after": {"0"}, "to": {"owner"}, "channel": {id}, "tags": {s}})
	w.ask("POST", "/escalation/texts", url.Values{"topic": {s}, "lang": {s}, "text.subject": {s}, "text.short": {s}, "text.text": {s}, "then": {"preview"}})
	w.ask("POST", "/escalation/texts", url.Values{"topic": {"grant_ended"}, "lang": {"en"}, "text.subject": {s}, "text.short": {s}, "text.text": {s}, "then": {"save"}})
	_, setup, _ := w.ask("GET", "/escalation", nil)
	for _, path := range regexp.MustCompile(`/escalation/(?:contacts|policies)/[0-9a-f-]{36}`).FindAllString(setup, -1) {
		w.ask("GET", path, nil)
	}
	w.ask("GET", "/escalation/texts?topic=grant_ended&lang=en", nil)
	w.ask("POST", "/connections/grant/drill", url.Values{"event": {s}})
	_, _, begun := w.ask("POST", "/connections/grant/drill/start", url.Values{"event": {"grant_ended"}})
	w.ask("GET", begun, nil)
}

// authorize comes back with the plugin's refusal, with an error of the service's own
// words, and at last with a grant.
func authorize(t *testing.T, w *watcher) {
	t.Helper()
	stateRE := regexp.MustCompile(`state=([A-Za-z0-9_-]{43})`)
	for _, answer := range []url.Values{
		{"code": {"bad"}}, {"error": {scriptText}, "error_description": {scriptText}}, {"error": {"access_denied"}, "error_description": {scriptText}}, {"code": {"good"}},
	} {
		_, _, to := w.ask("POST", "/connections/grant/authorize", url.Values{})
		_, page, _ := w.ask("GET", to, nil)
		found := stateRE.FindStringSubmatch(page)
		if found == nil {
			t.Fatalf("no state in %s", page)
		}
		answer.Set("state", found[1])
		w.ask("GET", "/callback/bad?"+answer.Encode(), nil)
	}
}

// everyPage looks at each page that there is, with scripts in whatever it may read of
// its address.
func everyPage(t *testing.T, r *hubtest.Running, w *watcher) {
	t.Helper()
	query := url.Values{}
	for _, name := range []string{
		"q", "status", "service", "tag", "sort", "after", "key", "actor", "act", "object", "before", "return_to", "link", "connection", "code", "state", "error",
	} {
		query.Set(name, scriptText)
	}
	stand := strings.NewReplacer("/connections/:name", "/connections/grant", "/services/:name", "/services/bad", "/plugins/:name", "/plugins/scripted",
		"/services/new/:provider", "/services/new/scripted", "/providers/:name", "/providers/scripted")
	hostile := strings.NewReplacer(":name", url.PathEscape(scriptText), ":provider", url.PathEscape(scriptText), ":id", url.PathEscape(scriptText),
		":service", url.PathEscape(scriptText), ":token", url.PathEscape(scriptText), ":file", url.PathEscape(scriptText))
	for _, route := range r.Hub.Routes() {
		if route.Method != http.MethodGet || strings.HasPrefix(route.Path, "/api/") || route.Path == "/live" || strings.HasSuffix(route.Path, "*file") {
			continue
		}
		if strings.HasSuffix(route.Path, ".csv") {
			continue // no page; it is sent as a file with nosniff
		}
		w.ask("GET", stand.Replace(route.Path), nil)
		w.ask("GET", stand.Replace(route.Path)+"?"+query.Encode(), nil)
		w.ask("GET", hostile.Replace(route.Path)+"?"+query.Encode(), nil)
	}
}
