package hub_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// visitor is a browser without a window: cookies, no redirects.
type visitor struct {
	t    testing.TB
	base string
	http *http.Client
}

// newVisitor is somebody who has not logged in yet.
func newVisitor(t testing.TB, r *running) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{t: t, base: r.hub.URL(), http: &http.Client{
		Jar: jar, Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// ask sends a request and returns status, page and where it leads.
func (v *visitor) ask(method, path string, form url.Values, headers ...string) (status int, page, location string) {
	v.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	address := path
	if strings.HasPrefix(path, "/") {
		address = v.base + path
	}
	req, err := http.NewRequestWithContext(v.t.Context(), method, address, body)
	if err != nil {
		v.t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := v.http.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return resp.StatusCode, string(data), resp.Header.Get("Location")
}

// follow sends a form and returns the page that it leads to.
func (v *visitor) follow(path string, form url.Values) (page string) {
	v.t.Helper()
	_, page, to := v.ask(http.MethodPost, path, form)
	if to != "" {
		_, page, _ = v.ask(http.MethodGet, to, nil)
	}
	return page
}

// owner sets the hub up.
func (r *running) owner(t testing.TB) *visitor {
	t.Helper()
	link, err := r.hub.SetupLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	v := newVisitor(t, r)
	_, token, _ := strings.Cut(link, "link=")
	status, page, _ := v.ask("POST", "/setup", url.Values{"link": {token}, "login": {"owner"}, "password": {testPassword}, "repeat": {testPassword}})
	if status != http.StatusSeeOther {
		t.Fatalf("the set-up answered %d: %s", status, page)
	}
	return v
}

// inviteRE finds a link of an invitation.
var inviteRE = regexp.MustCompile(`/invite\?link=([A-Za-z0-9_-]+)`)

// invite makes somebody of a role, who then is logged in.
func (v *visitor) invite(r *running, login, role string) *visitor {
	v.t.Helper()
	page := v.follow("/people/invite", url.Values{"login": {login}, "role": {role}})
	found := inviteRE.FindStringSubmatch(page)
	if found == nil {
		v.t.Fatalf("there is no invitation: %s", page)
	}
	guest := newVisitor(v.t, r)
	status, page, _ := guest.ask("POST", "/invite", url.Values{"link": {found[1]}, "name": {login}, "password": {testPassword}, "repeat": {testPassword}})
	if status != http.StatusSeeOther {
		v.t.Fatalf("accepting answered %d: %s", status, page)
	}
	return guest
}

// What each role may reach; every other route of the pages is refused. A new route
// that nobody thought of is refused to all but the mightiest.
var reach = map[string][]string{
	"viewer": {
		"GET /", "GET /services", "GET /services/:name", "GET /pick/services", "GET /pick/tags", "GET /connections", "GET /connections/:name", "GET /connections.csv",
		"GET /restored", "GET /plugins", "GET /plugins/:name", "GET /escalations", "GET /escalations/:id", "GET /settings", "GET /settings/second-factor", "GET /login/confirm", "POST /login/confirm", "POST /logout", "POST /settings/password",
		"POST /settings/second-factor", "POST /settings/second-factor/drop", "POST /settings/sessions/:id/end", "POST /settings/sessions/end",
		"POST /settings/passkeys/begin", "POST /settings/passkeys/finish", "POST /settings/passkeys/:id/remove",
	},
	"operator": {
		"POST /connections/:name/authorize", "POST /escalations/:id/acknowledge", "GET /once", "POST /once", "GET /connections/:name/codes", "POST /connections/:name/codes", "POST /connections/:name/codes.json", "POST /connections/:name/pause",
		"POST /connections/:name/paste", "POST /connections/:name/link", "POST /connections/:name/tags", "POST /bulk", "POST /bulk/:id/cancel", "GET /bulk/:id", "POST /connections/:name/renew", "POST /connections/:name/test-call", "POST /connections/:name/resume",
	},
}

// open are the routes that need no session; /metrics needs an API key.
var open = []string{
	"/setup", "/providers/:name/icon", "/login", "/login/passkey/begin", "/login/passkey/finish", "/login/code", "/login/oidc", "/login/oidc/callback", "/preferences", "/callback/:service", "/calendar/:file", "/invite", "/grant/:token", "/ack/:token", "/healthz", "/readyz", "/metrics", "/assets/*file", "/departure/:id", "/codes", "/codes/:service", "/ask", "/grant/:token/ask",
}

func pageRoutes(r *running) (routes []string) {
	for _, route := range r.hub.Routes() {
		if strings.HasPrefix(route.Path, "/api/") || slices.Contains(open, route.Path) {
			continue
		}
		routes = append(routes, route.Method+" "+route.Path)
	}
	return routes
}

// placeholderRE finds the parameters of a route.
var placeholderRE = regexp.MustCompile(`[:*][a-z]+`)

func TestEveryRouteIsRefusedToWhoMayNot(t *testing.T) {
	t.Parallel()
	r := startHub(t, nil)
	boss := r.owner(t)
	people := map[string]*visitor{"viewer": boss.invite(r, "viewer", "viewer"), "operator": boss.invite(r, "operator", "operator")}
	stranger := newVisitor(t, r)
	routes := pageRoutes(r)
	if len(routes) < 40 {
		t.Fatalf("only %d routes were found", len(routes))
	}
	for _, route := range routes {
		method, path, _ := strings.Cut(route, " ")
		if path == "/live" {
			continue // it has no end
		}
		path = placeholderRE.ReplaceAllString(path, "none")
		var form url.Values
		if method == "POST" {
			form = url.Values{"x": {"y"}, "act": {"renew"}}
		}
		if status, _, location := stranger.ask(method, path, form); status != http.StatusFound && status != http.StatusSeeOther || !strings.HasPrefix(location, "/login") {
			t.Errorf("%s answers a stranger %d", route, status)
		}
		if method == "POST" {
			for header, value := range map[string]string{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"} {
				if status, _, _ := boss.ask(method, path, form, header, value); status != http.StatusForbidden {
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
			status, page, _ := people[role].ask(method, path, form)
			if refused := status == http.StatusForbidden && strings.Contains(page, "Your role does not allow"); refused == slices.Contains(allowed, route) {
				t.Errorf("%s answers a %s %d", route, role, status)
			}
		}
	}
	// Who is turned away is in the record, with what they have tried.
	if _, table, _ := boss.ask("GET", "/audit.csv?act=access.refuse&actor=viewer&outcome=refused", nil); !strings.Contains(table, "/services/:name/delete") {
		t.Errorf("the record of who was turned away has\n%s", table)
	}
}

func TestAViewerSeesNoTokenAndNoButtonsThatAreRefused(t *testing.T) {
	t.Parallel()
	world := startWorld(t, time.Hour)
	r := startHub(t, nil)
	boss := r.owner(t)
	connection := r.addService(t, world.Service("bitrix24"))
	r.authorise(t, connection)
	token := r.admin.pull(t, connection).AccessToken
	viewer := boss.invite(r, "viewer", "viewer")
	for _, path := range []string{"/", "/connections", "/connections/" + connection, "/services", "/services/" + world.Service("bitrix24").Name, "/plugins", "/settings"} {
		_, page, _ := viewer.ask("GET", path, nil)
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
	r := startHub(t, nil)
	boss := r.owner(t)
	guest := boss.invite(r, "guest", "operator")
	if status, _, _ := guest.ask("GET", "/", nil); status != http.StatusOK {
		t.Fatal(status)
	}
	_, page, _ := boss.ask("GET", "/people", nil)
	id := regexp.MustCompile(`/people/([0-9a-f-]+)/sign-out`).FindAllStringSubmatch(page, -1)
	for _, match := range id {
		boss.ask("POST", "/people/"+match[1]+"/sign-out", url.Values{})
	}
	if status, _, location := guest.ask("GET", "/", nil); status == http.StatusOK || !strings.HasPrefix(location, "/login") {
		t.Errorf("the session goes on: %d %s", status, location)
	}
	again := newVisitor(t, r)
	if status, _, _ := again.ask("POST", "/login", url.Values{"login": {"guest"}, "password": {testPassword}}); status != http.StatusSeeOther {
		t.Errorf("logging in again answers %d", status)
	}
}
