package browser_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/test/hubtest"
	"github.com/evergrant/evergrant/plugins/demo"
)

// addMore adds a service that nobody authorizes in a browser, without its connection.
func addMore(t *testing.T, r *hubtest.Running, s *demo.Service) {
	t.Helper()
	r.Admin.Must(t, "POST", "/api/v1/services", map[string]any{
		"name": s.Name, "title": s.Title, "provider": s.Provider, "client_id": s.ClientID, "client_secret": s.ClientSecret, "scopes": s.Scopes, "options": s.Options,
	}, nil)
}

// add adds a connection in its form; fields are entered by their names.
func add(b *hubtest.Browser, r *hubtest.Running, service, name string, fields map[string]any) {
	b.T.Helper()
	b.Open(r.Hub.URL() + "/connections/new?service=" + service)
	b.Fill("title", "Connection "+name)
	b.Fill("name", name)
	for field, value := range fields {
		b.Fill(field, fmt.Sprint(value))
	}
	b.Click(`button[name="then"][value="authorize"]`)
}

// Connections that nobody authorizes in a browser are made, mended and replaced in pages.
func TestConnectionsAreMadeWithoutABrowserAtTheService(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	b := hubtest.StartBrowser(t, 1440, 900)
	for _, s := range world.More {
		addMore(t, r, s)
	}
	both := *world.More[0]
	both.Name, both.Title = "both-ways", "Both ways"
	both.Options = map[string]any{"grants": "both", "token_endpoint": both.Address + "/token", "authorization_endpoint": both.Address + "/authorize"}
	addMore(t, r, &both)
	b.SetUp(r)
	robot, login, key := world.More[0], world.More[1], world.More[2]

	add(b, r, robot.Name, "robot", nil)
	b.See("has a token")
	b.See("Client credentials")
	if has(b, `form[action$="/authorize"]`) || has(b, "#paste") {
		t.Error("the page offers an authorization in the browser")
	}
	add(b, r, both.Name, "chosen", nil)
	b.Wait(`input[name="decision"], button[name="decision"]`) // at the service: the browser is the first way
	b.Open(r.Hub.URL() + "/connections/new?service=" + both.Name)
	b.Fill("name", "chosen-robot")
	b.Click(`input[name="grant"][value="client_credentials"]`)
	b.Click(`button[name="then"][value="authorize"]`)
	b.See("has a token")

	// What is wrong is said before there is a connection, what the service refuses after.
	add(b, r, login.Name, "kassa", map[string]any{"login.login": login.Fields["login"]})
	b.Wait(`[name="login.password"][aria-invalid]`)
	b.Fill("login.password", "wrong-password-1")
	b.Click(`button[name="then"][value="authorize"]`)
	b.See("does not accept what was entered")
	b.Click(`a[href$="/connections/kassa/enter"]`)
	b.Fill("login.login", fmt.Sprint(login.Fields["login"]))
	b.Fill("login.password", fmt.Sprint(login.Fields["password"]))
	b.Click("form.card button[type=submit].btn-primary")
	b.See("the service accepted it")
	b.Open(r.Hub.URL() + "/connections/kassa/options")
	b.Fill("options.agreement_number", "1234567")
	b.Click("form.card button[type=submit].btn-primary")
	b.See("are saved")

	add(b, r, key.Name, "shop", map[string]any{"static.key": key.Fields["key"]})
	b.See("has a token")
	b.Click(`a[href$="/connections/shop/enter"]`)
	b.Fill("static.key", "wrong-key-1234567")
	b.Click("form.card button[type=submit].btn-primary")
	b.See("does not accept what was entered")
	if v := r.View(t, "shop"); v.Generation != 1 {
		t.Errorf("a wrong key replaces the one in force: generation %d", v.Generation)
	}
	lookAround(b, r, both.Name)
}

// lookAround opens the pages in every language and width, and in both themes where pictures
// are taken.
func lookAround(b *hubtest.Browser, r *hubtest.Running, both string) {
	b.T.Helper()
	themes := []string{"light"}
	if os.Getenv(picturesIn) != "" {
		themes = append(themes, "dark")
	}
	for _, theme := range themes {
		b.Do("choose the theme", media(theme))
		for name, path := range map[string]string{
			"new-key": "/connections/new?service=demo-key", "new-choice": "/connections/new?service=" + both, "kassa": "/connections/kassa", "replace-key": "/connections/shop/enter",
			"change-login": "/connections/kassa/enter", "options": "/connections/kassa/options", "service-login": "/services/new/moysklad",
		} {
			for _, lang := range []string{"ru", "en"} {
				for _, width := range []int64{360, 1440} {
					speakOf(b, r.Hub.URL()+path, lang, width)
					inBounds(b, fmt.Sprintf("%s in %s at %d", name, lang, width))
					if os.Getenv(picturesIn) == "" {
						continue
					}
					b.Open(r.Hub.URL() + path) // a picture is of a frame of its own
					snap(b, fmt.Sprintf("obtain-%s-%s-%d-%s", name, lang, width, theme))
				}
			}
		}
	}
}
