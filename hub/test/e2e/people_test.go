package e2e_test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// What each role may reach; every other route of the pages is refused. A new route
// that nobody thought of is refused to all but the mightiest.
var reach = map[string][]string{
	"viewer": {
		"GET /", "GET /services", "GET /services/:name", "GET /services/:name/keys", "GET /pick/services", "GET /pick/tags", "GET /connections", "GET /connections/:name", "GET /connections.csv",
		"GET /restored", "GET /plugins", "GET /plugins/:name", "GET /definitions", "GET /definitions/:name", "GET /definitions/:name/file", "GET /definition-schema.json", "GET /escalations", "GET /escalations/:id", "GET /settings", "GET /settings/second-factor", "GET /login/confirm", "POST /login/confirm", "POST /logout", "POST /settings/password",
		"POST /settings/second-factor", "POST /settings/second-factor/drop", "POST /settings/sessions/:id/end", "POST /settings/sessions/end",
		"POST /settings/passkeys/begin", "POST /settings/passkeys/finish", "POST /settings/passkeys/:id/remove",
	},
	"operator": {
		"POST /connections/:name/authorize", "GET /connections/:name/device", "POST /connections/:name/rehearse", "POST /escalations/:id/acknowledge", "GET /once", "POST /once", "GET /connections/:name/codes", "POST /connections/:name/codes", "POST /connections/:name/codes.json", "POST /connections/:name/pause",
		"POST /connections/:name/paste", "GET /connections/:name/enter", "POST /connections/:name/enter", "POST /connections/:name/obtain", "POST /connections/:name/link", "POST /connections/:name/tags", "POST /connections/:name/scopes/decline", "POST /bulk", "POST /bulk/:id/cancel", "GET /bulk/:id", "POST /connections/:name/renew", "POST /connections/:name/test-call", "POST /connections/:name/resume",
	},
}

// open are the routes that need no session; /metrics needs an API key.
var open = []string{
	"/setup", "/providers/:name/icon", "/login", "/login/passkey/begin", "/login/passkey/finish", "/login/code", "/login/oidc", "/login/oidc/callback", "/preferences", "/callback/:service", "/jwks/:service", "/calendar/:file", "/invite", "/grant/:token", "/ack/:token", "/healthz", "/readyz", "/metrics", "/assets/*file", "/departure/:id", "/codes", "/codes/:service", "/ask", "/grant/:token/ask", "/grant/:token/device",
}

func pageRoutes(r *hubtest.Running) (routes []string) {
	for _, route := range r.Hub.Routes() {
		if strings.HasPrefix(route.Path, "/api/") || slices.Contains(open, route.Path) {
			continue
		}
		routes = append(routes, route.Method+" "+route.Path)
	}
	return routes
}

func TestEveryRouteIsRefusedToWhoMayNot(t *testing.T) {
	t.Parallel()
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	people := map[string]*hubtest.Visitor{"viewer": boss.Invite(r, "viewer", "viewer"), "operator": boss.Invite(r, "operator", "operator")}
	stranger := hubtest.NewVisitor(t, r)
	routes := pageRoutes(r)
	if len(routes) < 40 {
		t.Fatalf("only %d routes were found", len(routes))
	}
	for _, route := range routes {
		method, path, _ := strings.Cut(route, " ")
		if path == "/live" {
			continue // it has no end
		}
		path = hubtest.PlaceholderRE.ReplaceAllString(path, "none")
		var form url.Values
		if method == "POST" {
			form = url.Values{"x": {"y"}, "act": {"renew"}}
		}
		if status, _, location := stranger.Ask(method, path, form); status != http.StatusFound && status != http.StatusSeeOther || !strings.HasPrefix(location, "/login") {
			t.Errorf("%s answers a stranger %d", route, status)
		}
		if method == "POST" {
			for header, value := range map[string]string{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"} {
				if status, _, _ := boss.Ask(method, path, form, header, value); status != http.StatusForbidden {
					t.Errorf("%s answers another site (%s) %d", route, header, status)
				}
			}
		}
		allowed := reach["viewer"]
		for _, role := range []string{"viewer", "operator"} {
			if role == "operator" {
				allowed = append(slices.Clone(allowed), reach["operator"]...)
			}
			if strings.HasPrefix(route, "POST /settings") || route == "POST /logout" {
				continue // it would end the session that the test needs
			}
			status, page, _ := people[role].Ask(method, path, form)
			if refused := status == http.StatusForbidden && strings.Contains(page, "Your role does not allow"); refused == slices.Contains(allowed, route) {
				t.Errorf("%s answers a %s %d", route, role, status)
			}
		}
	}
	// Who is turned away is in the record, with what they have tried.
	if _, table, _ := boss.Ask("GET", "/audit.csv?act=access.refuse&actor=viewer&outcome=refused", nil); !strings.Contains(table, "/services/:name/delete") {
		t.Errorf("the record of who was turned away has\n%s", table)
	}
}

func TestAViewerSeesNoTokenAndNoButtonsThatAreRefused(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	connection := r.AddService(t, world.Service("bitrix24"))
	r.Authorize(t, connection)
	token := r.Admin.Pull(t, connection).AccessToken
	viewer := boss.Invite(r, "viewer", "viewer")
	for _, path := range []string{"/", "/connections", "/connections/" + connection, "/services", "/services/" + world.Service("bitrix24").Name, "/plugins", "/settings"} {
		_, page, _ := viewer.Ask("GET", path, nil)
		if strings.Contains(page, token) {
			t.Errorf("%s shows a token", path)
		}
		for _, form := range regexp.MustCompile(`(?:action|hx-post|formaction)="(/[^"]*)"`).FindAllStringSubmatch(page, -1) {
			if !strings.HasPrefix(form[1], "/preferences") && !strings.HasPrefix(form[1], "/settings/") && form[1] != "/logout" && form[1] != "/connections" {
				t.Errorf("%s offers %s", path, form[1])
			}
		}
		for _, link := range []string{"/services/new", "/connections/new", "/edit\"", "/keys", "/people", "/audit"} {
			if strings.Contains(page, `href="`+link) {
				t.Errorf("%s leads to %s", path, link)
			}
		}
	}
}

func TestASessionIsEndedElsewhere(t *testing.T) {
	t.Parallel()
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	guest := boss.Invite(r, "guest", "operator")
	if status, _, _ := guest.Ask("GET", "/", nil); status != http.StatusOK {
		t.Fatal(status)
	}
	_, page, _ := boss.Ask("GET", "/people", nil)
	id := regexp.MustCompile(`/people/([0-9a-f-]+)/sign-out`).FindAllStringSubmatch(page, -1)
	for _, match := range id {
		boss.Ask("POST", "/people/"+match[1]+"/sign-out", url.Values{})
	}
	if status, _, location := guest.Ask("GET", "/", nil); status == http.StatusOK || !strings.HasPrefix(location, "/login") {
		t.Errorf("the session goes on: %d %s", status, location)
	}
	again := hubtest.NewVisitor(t, r)
	if status, _, _ := again.Ask("POST", "/login", url.Values{"login": {"guest"}, "password": {hubtest.Password}}); status != http.StatusSeeOther {
		t.Errorf("logging in again answers %d", status)
	}
}
