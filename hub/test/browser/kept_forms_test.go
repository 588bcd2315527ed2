package hub_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// The switch of language keeps the one-time link of the set-up page, before and after
// a form that was not right.
func TestTheSetUpPageKeepsItsLinkInBothLanguages(t *testing.T) {
	t.Parallel()
	r := startHub(t, nil)
	b := startBrowser(t, 390, 844)
	link, err := r.hub.SetupLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b.speakOf(link, "ru", 390)
	b.see("Создайте первого администратора")
	b.fill("login", "anna")
	b.fill("password", testPassword)
	b.fill("repeat", "another password")
	b.click("form button[type=submit].btn-primary")
	b.see("Пароли не совпадают.")
	b.click(`button[name="lang"][value="en"]`)
	b.wait(`html[lang="en"]`)
	b.see("Make the first administrator")
	b.fill("login", "anna")
	b.fill("password", testPassword)
	b.fill("repeat", testPassword)
	b.click("form button[type=submit].btn-primary")
	b.wait("nav")
}

// endSessions signs everybody out behind their backs.
func (r *running) endSessions(t *testing.T) {
	t.Helper()
	r.execute(t, "DELETE FROM sessions")
	r.execute(t, "DELETE FROM user_sessions")
}

// logInAgain logs in on the page that is open.
func (b *browser) logInAgain() {
	b.t.Helper()
	b.fill("login", "anna")
	b.fill("password", testPassword)
	b.click("form button[type=submit].btn-primary")
}

// A session that ends in the middle of a form: after the login the form is there with
// what was entered, but for its secret, which it says.
func TestAFormOutlivesItsSession(t *testing.T) {
	t.Parallel()
	r := startHub(t, nil)
	b := startBrowser(t, 1280, 900)
	b.setUp(r)
	page := r.hub.URL() + "/services/new/bitrix24"
	for what, send := range map[string]string{
		"saved": "form.eg-page-narrow button[type=submit].btn-primary", "checked": "#check-service",
	} {
		b.open(page)
		b.fill("title", "Портал")
		b.fill("client_id", "local.5f3c")
		b.fill("client_secret", "the very secret")
		b.fill("options.portal", "acme.bitrix24.ru")
		r.endSessions(t)
		b.click(send)
		b.see("Your session has ended")
		b.logInAgain()
		b.wait(`[name="client_id"]`)
		if b.address() != page {
			t.Fatalf("%s: the browser is at %s", what, b.address())
		}
		for field, want := range map[string]string{"title": "Портал", "client_id": "local.5f3c", "options.portal": "acme.bitrix24.ru", "client_secret": ""} {
			if got := b.value(field); got != want {
				t.Errorf("%s: %s is %q, want %q", what, field, got, want)
			}
		}
		b.see("What you entered is here again, except for secrets and files.")
		b.see("Enter it again")
		if held := script[string](b, `JSON.stringify({...sessionStorage})`); strings.Contains(held, "very secret") || strings.Contains(held, "local.5f3c") {
			t.Errorf("%s: the tab still holds %s", what, held)
		}
	}
}

func (b *browser) value(name string) string {
	b.t.Helper()
	return script[string](b, `document.querySelector('[name="`+name+`"]:not([type=hidden])').value`)
}

// A form that was not right says that its secret has to be entered again, and a field
// that is being mended is not red any more.
func TestAFormThatComesBackSaysThatItsSecretIsGone(t *testing.T) {
	t.Parallel()
	r := startHub(t, nil)
	b := startBrowser(t, 1280, 900)
	b.setUp(r)
	b.open(r.hub.URL() + "/services/new/bitrix24")
	b.fill("name", "Not A Name")
	b.fill("client_id", "local.5f3c")
	b.fill("client_secret", "the very secret")
	b.click("form.eg-page-narrow button[type=submit].btn-primary")
	b.wait(`[name="name"].is-invalid`)
	b.see("Enter it again")
	if strings.Contains(script[string](b, `document.documentElement.outerHTML`), "very secret") {
		t.Error("the page holds the secret")
	}
	b.do("mend the name", chromedp.SendKeys(chromedp.CSS(`[name="name"]`), "x"))
	if b.has(`[name="name"].is-invalid`) || b.has("#f-name-problem") {
		t.Error("the field stays red while it is mended")
	}
	b.open(r.hub.URL() + "/escalation/channels/new/telegram")
	b.fill("title", "")
	b.fill("settings.token", "123:abc")
	b.click("main form button[type=submit].btn-primary")
	b.see("Enter it again")
}

// A table that was refused is there to be mended: after a mistake in it and after the
// end of a session.
func TestARefusedTableIsThereToBeMended(t *testing.T) {
	t.Parallel()
	world := startWorld(t, time.Hour)
	r := startHub(t, nil)
	service := r.serviceOf(t, r.addService(t, world.Service("google-calendar")))
	b := startBrowser(t, 1280, 900)
	b.setUp(r)
	for table, wanted := range map[string]string{
		"nothing,of,this\n1,2,3":                                                            "nothing,of,this\n1,2,3",
		"service,name,refresh_token\nno-such-service,sales,r-1":                             "service,name,refresh_token\nno-such-service,sales,r-1",
		"service,name,refresh_token\n" + service + ",bought,r-1\nno-such-service,sales,r-2": "service,name,refresh_token\nno-such-service,sales,r-2",
	} {
		b.open(r.hub.URL() + "/connections/import")
		b.fill("table", table)
		b.click(`form[action$="/table"] button[type=submit]`)
		eventually(t, "what became of it is told", func() bool { return b.has(`form[data-refill] [name="table"]`) || b.has("#rest") })
		if b.has("#rest") {
			b.click("#rest")
			b.wait(`[name="table"]`)
		}
		eventually(t, "the table is there", func() bool { return strings.TrimSpace(b.value("table")) == wanted })
	}
	// From a page that cannot be opened by its address, as the one of a mistake is.
	r.endSessions(t)
	b.click(`form[action$="/table"] button[type=submit]`)
	b.see("Your session has ended")
	b.logInAgain()
	b.wait(`[name="table"]`)
	b.open(r.hub.URL() + "/connections/import")
	b.fill("table", "service,name\nx,y")
	r.endSessions(t)
	b.click(`form[action$="/table"] button[type=submit]`)
	b.see("Your session has ended")
	b.logInAgain()
	b.wait(`[name="table"]`)
	if got := b.value("table"); got != "service,name\nx,y" {
		t.Errorf("the table is %q", got)
	}
}

// Reloading the page that shows a new key makes no second one; so with links,
// invitations, the calendar's address and recovery codes. The key is shown until the
// list of keys is opened, and can be tried out there.
func TestWhatIsShownOnceIsMadeOnce(t *testing.T) {
	t.Parallel()
	world := startWorld(t, time.Hour)
	r := startHub(t, nil)
	b := startBrowser(t, 1280, 900)
	connection := r.addService(t, world.Service("google-calendar"))
	r.authorise(t, connection)
	b.setUp(r)
	keys := func() int {
		var n int
		if err := r.database(t, "ro").QueryRowContext(t.Context(), "SELECT count(*) FROM api_keys").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := keys()
	b.open(r.hub.URL() + "/keys/new")
	b.fill("title", "Bpium")
	b.click(`input[name="which"][value="all"]`)
	b.click("main form button[type=submit].btn-primary")
	b.wait("#new-key")
	key := b.text("#try")
	b.do("reload", chromedp.Reload())
	b.wait("#new-key")
	if n := keys(); n != before+1 {
		t.Errorf("there are %d keys, want %d", n, before+1)
	}
	secret := script[string](b, `document.querySelector('#new-key').value`)
	for _, command := range []string{key, b.text("#try-powershell")} {
		if !strings.Contains(command, "Bearer "+secret) || strings.Contains(command, "EVERGRANT_API_KEY") {
			t.Errorf("the command is %s", command)
		}
	}
	b.click("#try-here")
	b.see("200: the key works")
	token := (&client{base: r.hub.URL(), key: secret}).pull(t, connection).AccessToken
	if shown := b.text("#key-run"); strings.Contains(shown, token) || !strings.Contains(shown, token[:6]+"…") {
		t.Errorf("the page shows %s", shown)
	}
	r.admin.must(t, "POST", "/api/v1/connections/"+connection+"/pause", nil, nil)
	b.click("#try-here")
	b.see("409: there is no token")
	b.open(r.hub.URL() + "/keys")
	b.open(r.hub.URL() + "/keys/created")
	if b.address() != r.hub.URL()+"/keys" {
		t.Errorf("the key is still at %s", b.address())
	}

	boss := newVisitor(t, r)
	boss.ask("POST", "/login", url.Values{"login": {"anna"}, "password": {testPassword}})
	for path, form := range map[string]url.Values{
		"/connections/" + connection + "/link": {}, "/people/invite": {"login": {"guest"}, "role": {"viewer"}}, "/settings/calendar": {},
	} {
		if status, _, to := boss.ask("POST", path, form); status != 303 || to == "" {
			t.Errorf("%s answers %d: reloading would do it again", path, status)
		}
	}
}
