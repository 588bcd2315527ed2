package browser_test

import (
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/test/hubtest"
	"github.com/evergrant/evergrant/plugins/emulator"
)

// Everything that an administrator does to a connection, in its page.
func TestTheConnectionsPageDoesWhatItSays(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	b := hubtest.StartBrowser(t, 1280, 900)
	s := world.Service("google-calendar")
	connection := r.AddService(t, s)
	r.Authorize(t, connection)
	b.SetUp(r)
	page := r.Hub.URL() + "/connections/" + connection

	b.Open(page)
	b.Click(`form[action$="/renew"] button`)
	b.See("has a new token")
	if v := r.View(t, connection); v.Generation != 2 {
		t.Errorf("generation %d after Renew now", v.Generation)
	}
	b.Menu(`[action$="/pause"] button`)
	b.See("is paused")
	if v := r.View(t, connection); v.Status != "paused" {
		t.Errorf("status %s after Pause", v.Status)
	}
	b.Click(`form[action$="/resume"] button`)
	b.See("is taken up again")
	if v := r.View(t, connection); v.Status != "fresh" {
		t.Errorf("status %s after Resume", v.Status)
	}
	b.Asked("revoke")
	b.See("was given back")
	if v := r.View(t, connection); v.Status != "revoked" {
		t.Errorf("status %s after Give the grant back", v.Status)
	}
	b.Asked("delete")
	b.See("is deleted")
	if status, _ := r.Admin.Do(t, "GET", "/api/v1/connections/"+connection, nil); status != 404 {
		t.Errorf("a deleted connection answers %d", status)
	}
}

// A person who says no, a wrong password, a page for nobody: each says what to
// do next.
func TestFailuresSayWhatToDoNext(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	b := hubtest.StartBrowser(t, 1280, 900)
	s := world.Service("oauth2")
	r.AddService(t, s)
	b.SetUp(r)
	b.Connect(r, s, "denied-one")
	b.Click(`button[name="decision"][value="deny"]`)
	b.See("You did not agree")
	b.See("What to do")
	if source := hubtest.Script[string](b, `document.documentElement.outerHTML`); strings.Contains(source, "state=") {
		t.Error("the page holds the state")
	}
	b.Open(r.Hub.URL() + "/nowhere")
	b.See("404")

	stranger := hubtest.StartBrowser(t, 390, 844)
	stranger.Open(r.Hub.URL() + "/connections/denied-one")
	stranger.Fill("login", "anna")
	stranger.Fill("password", "not the password")
	stranger.Click("form button[type=submit].btn-primary")
	stranger.Wait(`[role="alert"]`)
	stranger.Fill("password", hubtest.Password)
	stranger.Click("form button[type=submit].btn-primary")
	stranger.Wait("#status")
	if !strings.HasSuffix(stranger.Address(), "/connections/denied-one") {
		t.Errorf("after the login the browser is at %s", stranger.Address())
	}
	stranger.Click(`button[name="lang"][value="ru"]`)
	stranger.Wait(`html[lang="ru"]`)
	stranger.See("Подключени")
}

// Whatever people, services and plugins say is text: it cannot become part of a
// page.
func TestHostileTextStaysText(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	b := hubtest.StartBrowser(t, 1280, 900)
	s := world.Service("oauth2")
	hostile := `"><script>document.title='owned'</script><img src=x onerror="document.title='owned'">'` + "\u202e" + strings.Repeat("ж", 100)
	s.Title = hostile
	connection := r.AddService(t, s)
	r.Authorize(t, connection)
	r.Admin.Must(t, "POST", "/api/v1/api-keys", map[string]any{"title": hostile[:120], "connections": []string{connection}}, nil)
	b.SetUp(r)
	for _, path := range []string{
		"/", "/connections", "/connections/" + connection, "/connections/new", "/services", "/services/" + s.Name, "/services/" + s.Name + "/edit",
		"/keys", "/keys/new", "/connections?q=" + "%22%3E%3Cscript%3E", "/login?return_to=%22%3E%3Cscript%3E",
	} {
		b.Open(r.Hub.URL() + path)
		if title := hubtest.Script[string](b, "document.title"); title == "owned" {
			t.Errorf("%s ran a script that is a title", path)
		}
		if n := hubtest.Script[int](b, `document.querySelectorAll('script:not([src]), [onerror], [onclick], style:not([nonce])').length`); n != 0 {
			t.Errorf("%s has %d inline scripts, handlers or styles", path, n)
		}
	}
	_, page := hubtest.Send(t, r.Grant(t, connection, emulator.Choices{Deny: true}))
	if strings.Contains(page, "<script>document") {
		t.Error("the page of a refusal holds a script")
	}
}
