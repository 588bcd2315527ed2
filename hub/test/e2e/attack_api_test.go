package e2e_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// What a key of each scope may reach of the API; every other route is refused to it. A new
// route that nobody thought of is refused to all keys but those with admin:*.
var keyReach = map[string][]string{
	"token:read": {
		"GET /api/v1/connections/:name/token", "POST /api/v1/connections/:name/token/rejected", "POST /api/v1/connections/:name/token/insufficient-scope",
		"GET /api/v1/events",
	},
	"connection:read": {"GET /api/v1/connections", "GET /api/v1/connections/:name", "GET /api/v1/events", "GET /api/v1/calendar"},
	"audit:read":      {"GET /api/v1/audit", "POST /api/v1/audit/verify"},
	"metrics:read":    {},
}

// openAPIRoutes need no key.
var openAPIRoutes = []string{"/api/v1/openapi", "/api/v1/docs"}

func TestEveryRouteOfTheAPIIsRefusedToAKeyThatMayNot(t *testing.T) {
	t.Parallel()
	r := hubtest.StartHub(t, nil)
	keys := map[string]*hubtest.Client{}
	for scope := range keyReach {
		keys[scope] = r.KeyOf(t, map[string]any{"title": scope, "scopes": []string{scope}})
	}
	tried := 0
	for _, route := range r.Hub.Routes() {
		if !strings.HasPrefix(route.Path, "/api/") || slices.ContainsFunc(openAPIRoutes, func(p string) bool { return strings.HasPrefix(route.Path, p) }) {
			continue
		}
		path := hubtest.PlaceholderRE.ReplaceAllString(route.Path, "none")
		name := route.Method + " " + route.Path
		tried++
		if route.Path == "/api/v1/connections/:name/token" {
			path += "?min_ttl=nonsense" // what is wrong with a request is for those with a key
		}
		for _, key := range []string{"", "evg_nobodys", "evg_" + strings.Repeat("a", 5000)} {
			if status, answer := r.With(key).Do(t, route.Method, path, map[string]any{}); status != http.StatusUnauthorized {
				t.Errorf("%s answers a stranger %d %s", name, status, answer)
			}
		}
		for scope, key := range keys {
			if slices.Contains(keyReach[scope], name) {
				continue
			}
			if status, answer := key.Do(t, route.Method, path, map[string]any{}); status != http.StatusForbidden {
				t.Errorf("%s answers a key with %s %d %s", name, scope, status, answer)
			}
		}
	}
	if _, records := r.Admin.Do(t, "GET", "/api/v1/audit?act=access.refuse&outcome=refused&limit=1000", nil); !strings.Contains(string(records), `"object":"create-api-key"`) {
		t.Errorf("the record of the keys that were turned away has %s", records)
	}
	t.Logf("%d routes with %d kinds of keys", tried, len(keys)+3)
	if tried < 30 {
		t.Fatalf("only %d routes were found", tried)
	}
}

// A person's own settings and what others do to the person, at one time and many times:
// neither undoes the other.
func TestActsAtOneTimeUndoNothing(t *testing.T) {
	t.Parallel()
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	for round := range 5 {
		login := "guest" + string(rune('a'+round))
		guest := boss.Invite(r, login, "operator")
		_, people, _ := boss.Ask("GET", "/people", nil)
		id := hubtest.PersonIDOf(people, login)
		var acts sync.WaitGroup
		acts.Go(func() {
			for range 10 {
				guest.Ask("POST", "/preferences", url.Values{"lang": {"ru"}, "theme": {"dark"}})
			}
		})
		acts.Go(func() {
			boss.Ask("POST", "/people/"+id+"/role", url.Values{"role": {"viewer"}})
			boss.Ask("POST", "/people/"+id+"/disable", url.Values{})
		})
		acts.Wait()
		guest.Ask("POST", "/preferences", url.Values{"lang": {"en"}})
		if status, _, location := guest.Ask("GET", "/", nil); status == http.StatusOK || !strings.HasPrefix(location, "/login") {
			t.Errorf("somebody who was disabled is answered %d %s", status, location)
		}
		again := hubtest.NewVisitor(t, r)
		if status, _, _ := again.Ask("POST", "/login", url.Values{"login": {login}, "password": {hubtest.Password}}); status == http.StatusSeeOther {
			t.Error("somebody who was disabled has logged in")
		}
	}
}
