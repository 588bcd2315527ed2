package hub_test

import (
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/plugins/emulator"
)

// Everything that an administrator does to a connection, in its page.
func TestTheConnectionsPageDoesWhatItSays(t *testing.T) {
	t.Parallel()
	world := startWorld(t, time.Hour)
	r := startHub(t, nil)
	b := startBrowser(t, 1280, 900)
	s := world.Service("google-calendar")
	connection := r.addService(t, s)
	r.authorise(t, connection)
	b.setUp(r)
	page := r.hub.URL() + "/connections/" + connection

	b.open(page)
	b.click(`form[action$="/renew"] button`)
	b.see("has a new token")
	if v := r.view(t, connection); v.Generation != 2 {
		t.Errorf("generation %d after Renew now", v.Generation)
	}
	b.menu(`[action$="/pause"] button`)
	b.see("is paused")
	if v := r.view(t, connection); v.Status != "paused" {
		t.Errorf("status %s after Pause", v.Status)
	}
	b.click(`form[action$="/resume"] button`)
	b.see("is taken up again")
	if v := r.view(t, connection); v.Status != "fresh" {
		t.Errorf("status %s after Resume", v.Status)
	}
	b.asked("revoke")
	b.see("was given back")
	if v := r.view(t, connection); v.Status != "revoked" {
		t.Errorf("status %s after Give the grant back", v.Status)
	}
	b.asked("delete")
	b.see("is deleted")
	if status, _ := r.admin.do(t, "GET", "/api/v1/connections/"+connection, nil); status != 404 {
		t.Errorf("a deleted connection answers %d", status)
	}
}

// menu opens the menu of more actions and clicks one of them.
func (b *browser) menu(selector string) {
	b.t.Helper()
	b.click(".eg-actions details.eg-menu summary")
	b.click(selector)
}

// asked does what the hub asks about first.
func (b *browser) asked(what string) {
	b.t.Helper()
	b.menu(`[data-opens="` + what + `"]`)
	b.click(`dialog#` + what + ` button[type=submit]`)
}

// A person who says no, a wrong password, a page for nobody: each says what to
// do next.
func TestFailuresSayWhatToDoNext(t *testing.T) {
	t.Parallel()
	world := startWorld(t, time.Hour)
	r := startHub(t, nil)
	b := startBrowser(t, 1280, 900)
	s := world.Service("oauth2")
	r.addService(t, s)
	b.setUp(r)
	b.connect(r, s, "denied-one")
	b.click(`button[name="decision"][value="deny"]`)
	b.see("You did not agree")
	b.see("What to do")
	if source := script[string](b, `document.documentElement.outerHTML`); strings.Contains(source, "state=") {
		t.Error("the page holds the state")
	}
	b.open(r.hub.URL() + "/nowhere")
	b.see("404")

	stranger := startBrowser(t, 390, 844)
	stranger.open(r.hub.URL() + "/connections/denied-one")
	stranger.fill("login", "anna")
	stranger.fill("password", "not the password")
	stranger.click("form button[type=submit].btn-primary")
	stranger.wait(`[role="alert"]`)
	stranger.fill("password", testPassword)
	stranger.click("form button[type=submit].btn-primary")
	stranger.wait("#standing")
	if !strings.HasSuffix(stranger.address(), "/connections/denied-one") {
		t.Errorf("after the login the browser is at %s", stranger.address())
	}
	stranger.click(`button[name="lang"][value="ru"]`)
	stranger.wait(`html[lang="ru"]`)
	stranger.see("Подключени")
}

// Whatever people, services and plugins say is text: it cannot become part of a
// page.
func TestHostileTextStaysText(t *testing.T) {
	t.Parallel()
	world := startWorld(t, time.Hour)
	r := startHub(t, nil)
	b := startBrowser(t, 1280, 900)
	s := world.Service("oauth2")
	hostile := `"><script>document.title='owned'</script><img src=x onerror="document.title='owned'">'` + "\u202e" + strings.Repeat("ж", 100)
	s.Title = hostile
	connection := r.addService(t, s)
	r.authorise(t, connection)
	r.admin.must(t, "POST", "/api/v1/api-keys", map[string]any{"title": hostile[:120], "connections": []string{connection}}, nil)
	b.setUp(r)
	for _, path := range []string{
		"/", "/connections", "/connections/" + connection, "/connections/new", "/services", "/services/" + s.Name, "/services/" + s.Name + "/edit",
		"/keys", "/keys/new", "/connections?q=" + "%22%3E%3Cscript%3E", "/login?return_to=%22%3E%3Cscript%3E",
	} {
		b.open(r.hub.URL() + path)
		if title := script[string](b, "document.title"); title == "owned" {
			t.Errorf("%s ran a script that is a title", path)
		}
		if n := script[int](b, `document.querySelectorAll('script:not([src]), [onerror], [onclick], style:not([nonce])').length`); n != 0 {
			t.Errorf("%s has %d inline scripts, handlers or styles", path, n)
		}
	}
	_, page := send(t, r.grant(t, connection, emulator.Choices{Deny: true}))
	if strings.Contains(page, "<script>document") {
		t.Error("the page of a refusal holds a script")
	}
}
