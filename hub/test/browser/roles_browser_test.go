package hub_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// logIn logs somebody in who has an account.
func (b *browser) logIn(r *running, login string) {
	b.t.Helper()
	b.open(r.hub.URL() + "/login")
	b.fill("login", login)
	b.fill("password", testPassword)
	b.click("form button[type=submit].btn-primary")
	b.wait("nav")
}

func (b *browser) has(selector string) bool {
	b.t.Helper()
	return script[bool](b, "!!document.querySelector(`"+selector+"`)")
}

// Each path as the role that does it, and as the role that must not, in the browser:
// who may not sees no button for it, and an address that was typed says who may.
func TestPagesByRole(t *testing.T) {
	t.Parallel()
	world := startWorld(t, time.Hour)
	r := startHub(t, nil)
	boss := r.owner(t)
	s := world.Service("google-calendar")
	connection := r.addService(t, s)
	r.authorise(t, connection)
	page := "/connections/" + connection
	for _, role := range []string{"viewer", "operator", "administrator"} {
		boss.invite(r, role, role)
	}
	managing := []string{"/services/new", "/services/" + s.Name + "/edit", "/connections/new", "/connections/import", "/keys", "/keys/new"}
	for _, role := range []struct {
		name             string
		operates, manage bool
	}{{"viewer", false, false}, {"operator", true, false}, {"administrator", true, true}} {
		t.Run(role.name, func(t *testing.T) {
			b := startBrowser(t, 1280, 900)
			b.logIn(r, role.name)
			b.open(r.hub.URL() + page)
			b.wait("#standing")
			for selector, may := range map[string]bool{
				`form[action$="/renew"]`: role.operates, `#show-codes`: role.operates, `form[action$="/pause"]`: role.operates, `form[action$="/link"]`: role.operates,
				`[data-opens="delete"]`: role.manage, `[data-opens="revoke"]`: role.manage, `a[href="/keys"]`: role.manage, `a[href="/people"]`: role.manage, `a[href="/audit"]`: role.manage,
			} {
				if b.has(selector) != may {
					t.Errorf("the page shows %s: %v", selector, !may)
				}
			}
			for _, path := range append(managing, "/people", "/audit") {
				b.open(r.hub.URL() + path)
				if refused := strings.Contains(b.text("body"), "Your role does not allow"); refused == role.manage {
					t.Errorf("%s refuses a %s: %v", path, role.name, refused)
				}
			}
			if role.operates {
				b.open(r.hub.URL() + page)
				b.click(`form[action$="/renew"] button`)
				b.see("has a new token")
				if codes := b.accessCodes(r, connection); codes["accessToken"] == nil {
					t.Error("no access codes")
				}
			}
			if role.manage {
				b.createKey(r, connection)
				b.open(r.hub.URL() + "/people")
				b.fill("login", "new@example.com")
				b.click(`form[action="/people/invite"] button[type=submit]`)
				b.see("The invitation for new@example.com is ready")
				b.open(r.hub.URL() + "/audit")
				b.see("key.add")
			}
		})
	}
	// Roles are the server's business too: a form that a page would not show is refused.
	viewer := newVisitor(t, r)
	viewer.ask("POST", "/login", map[string][]string{"login": {"viewer"}, "password": {testPassword}})
	for _, path := range []string{page + "/renew", page + "/codes", page + "/revoke"} {
		if status, _, _ := viewer.ask("POST", path, map[string][]string{}); status != http.StatusForbidden {
			t.Errorf("%s answers a viewer %d", path, status)
		}
	}
}
