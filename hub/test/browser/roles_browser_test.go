package browser_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

func has(b *hubtest.Browser, selector string) bool {
	b.T.Helper()
	return hubtest.Script[bool](b, "!!document.querySelector(`"+selector+"`)")
}

// Each path as the role that does it, and as the role that must not, in the browser:
// who may not sees no button for it, and an address that was typed says who may.
func TestPagesByRole(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	s := world.Service("google-calendar")
	connection := r.AddService(t, s)
	r.Authorize(t, connection)
	page := "/connections/" + connection
	for _, role := range []string{"viewer", "operator", "administrator"} {
		boss.Invite(r, role, role)
	}
	managing := []string{"/services/new", "/services/" + s.Name + "/edit", "/connections/new", "/connections/import", "/keys", "/keys/new"}
	for _, role := range []struct {
		name             string
		operates, manage bool
	}{{"viewer", false, false}, {"operator", true, false}, {"administrator", true, true}} {
		t.Run(role.name, func(t *testing.T) {
			b := hubtest.StartBrowser(t, 1280, 900)
			b.LogIn(r, role.name)
			b.Open(r.Hub.URL() + page)
			b.Wait("#status")
			for selector, may := range map[string]bool{
				`form[action$="/renew"]`: role.operates, `#show-codes`: role.operates, `form[action$="/pause"]`: role.operates, `form[action$="/link"]`: role.operates,
				`[data-opens="delete"]`: role.manage, `[data-opens="revoke"]`: role.manage, `a[href="/keys"]`: role.manage, `a[href="/people"]`: role.manage, `a[href="/audit"]`: role.manage,
			} {
				if has(b, selector) != may {
					t.Errorf("the page shows %s: %v", selector, !may)
				}
			}
			for _, path := range append(managing, "/people", "/audit") {
				b.Open(r.Hub.URL() + path)
				if refused := strings.Contains(b.Text("body"), "Your role does not allow"); refused == role.manage {
					t.Errorf("%s refuses a %s: %v", path, role.name, refused)
				}
			}
			if role.operates {
				b.Open(r.Hub.URL() + page)
				b.Click(`form[action$="/renew"] button`)
				b.See("has a new token")
				if codes := accessCodes(b, r, connection); codes["accessToken"] == nil {
					t.Error("no access codes")
				}
			}
			if role.manage {
				createKey(b, r, connection)
				b.Open(r.Hub.URL() + "/people")
				b.Fill("login", "new@example.com")
				b.Click(`form[action="/people/invite"] button[type=submit]`)
				b.See("The invitation for new@example.com is ready")
				b.Open(r.Hub.URL() + "/audit")
				b.See("key.add")
			}
		})
	}
	// Roles are the server's business too: a form that a page would not show is refused.
	viewer := hubtest.NewVisitor(t, r)
	viewer.Ask("POST", "/login", map[string][]string{"login": {"viewer"}, "password": {hubtest.Password}})
	for _, path := range []string{page + "/renew", page + "/codes", page + "/revoke"} {
		if status, _, _ := viewer.Ask("POST", path, map[string][]string{}); status != http.StatusForbidden {
			t.Errorf("%s answers a viewer %d", path, status)
		}
	}
}
