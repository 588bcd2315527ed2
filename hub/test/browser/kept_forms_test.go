package browser_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// The switch of language keeps the one-time link of the set-up page, before and after
// a form that was not right.
func TestTheSetUpPageKeepsItsLinkInBothLanguages(t *testing.T) {
	t.Parallel()
	r := hubtest.StartHub(t, nil)
	b := hubtest.StartBrowser(t, 390, 844)
	link, err := r.Hub.SetupLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	speakOf(b, link, "ru", 390)
	b.See("Создайте первого администратора")
	b.Fill("login", "anna")
	b.Fill("password", hubtest.Password)
	b.Fill("repeat", "another password")
	b.Click("form button[type=submit].btn-primary")
	b.See("Пароли не совпадают.")
	b.Click(`button[name="lang"][value="en"]`)
	b.Wait(`html[lang="en"]`)
	b.See("Make the first administrator")
	b.Fill("login", "anna")
	b.Fill("password", hubtest.Password)
	b.Fill("repeat", hubtest.Password)
	b.Click("form button[type=submit].btn-primary")
	b.Wait("nav")
}

// endSessions signs everybody out behind their backs.
func endSessions(t *testing.T, r *hubtest.Running) {
	t.Helper()
	r.Execute(t, "DELETE FROM sessions")
	r.Execute(t, "DELETE FROM user_sessions")
}

// logInAgain logs in on the page that is open.
func logInAgain(b *hubtest.Browser) {
	b.T.Helper()
	b.Fill("login", "anna")
	b.Fill("password", hubtest.Password)
	b.Click("form button[type=submit].btn-primary")
}

// A session that ends in the middle of a form: after the login the form is there with
// what was entered, but for its secret, which it says.
func TestAFormOutlivesItsSession(t *testing.T) {
	t.Parallel()
	r := hubtest.StartHub(t, nil)
	b := hubtest.StartBrowser(t, 1280, 900)
	b.SetUp(r)
	page := r.Hub.URL() + "/services/new/bitrix24"
	for what, send := range map[string]string{
		"saved": "form.eg-page-narrow button[type=submit].btn-primary", "checked": "#check-service",
	} {
		b.Open(page)
		b.Fill("title", "Портал")
		b.Fill("client_id", "local.5f3c")
		b.Fill("client_secret", "the very secret")
		b.Fill("options.portal", "acme.bitrix24.ru")
		endSessions(t, r)
		b.Click(send)
		b.See("Your session has ended")
		logInAgain(b)
		b.Wait(`[name="client_id"]`)
		if b.Address() != page {
			t.Fatalf("%s: the browser is at %s", what, b.Address())
		}
		b.See("What you entered is here again, except for secrets and files.")
		for field, want := range map[string]string{"title": "Портал", "client_id": "local.5f3c", "options.portal": "acme.bitrix24.ru", "client_secret": ""} {
			if got := value(b, field); got != want {
				t.Errorf("%s: %s is %q, want %q", what, field, got, want)
			}
		}
		b.See("Enter it again")
		if held := hubtest.Script[string](b, `JSON.stringify({...sessionStorage})`); strings.Contains(held, "very secret") || strings.Contains(held, "local.5f3c") {
			t.Errorf("%s: the tab still holds %s", what, held)
		}
	}
}

func value(b *hubtest.Browser, name string) string {
	b.T.Helper()
	return hubtest.Script[string](b, `document.querySelector('[name="`+name+`"]:not([type=hidden])').value`)
}

// A form that was not right says that its secret has to be entered again, and a field
// that is being mended is not red any more.
func TestAFormThatComesBackSaysThatItsSecretIsGone(t *testing.T) {
	t.Parallel()
	r := hubtest.StartHub(t, nil)
	b := hubtest.StartBrowser(t, 1280, 900)
	b.SetUp(r)
	b.Open(r.Hub.URL() + "/services/new/bitrix24")
	b.Fill("name", "Not A Name")
	b.Fill("client_id", "local.5f3c")
	b.Fill("client_secret", "the very secret")
	b.Click("form.eg-page-narrow button[type=submit].btn-primary")
	b.Wait(`[name="name"].is-invalid`)
	b.See("Enter it again")
	if strings.Contains(hubtest.Script[string](b, `document.documentElement.outerHTML`), "very secret") {
		t.Error("the page holds the secret")
	}
	b.Do("mend the name", chromedp.SendKeys(chromedp.CSS(`[name="name"]`), "x"))
	if has(b, `[name="name"].is-invalid`) || has(b, "#f-name-problem") {
		t.Error("the field stays red while it is mended")
	}
	b.Open(r.Hub.URL() + "/escalation/channels/new/telegram")
	b.Fill("title", "")
	b.Fill("settings.token", "123:abc")
	b.Click("main form button[type=submit].btn-primary")
	b.See("Enter it again")
}

// A table that was refused is there to be mended: after a mistake in it and after the
// end of a session.
func TestARefusedTableIsThereToBeMended(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	service := r.ServiceOf(t, r.AddService(t, world.Service("google-calendar")))
	b := hubtest.StartBrowser(t, 1280, 900)
	b.SetUp(r)
	for table, wanted := range map[string]string{
		"nothing,of,this\n1,2,3":                                                            "nothing,of,this\n1,2,3",
		"service,name,refresh_token\nno-such-service,sales,r-1":                             "service,name,refresh_token\nno-such-service,sales,r-1",
		"service,name,refresh_token\n" + service + ",bought,r-1\nno-such-service,sales,r-2": "service,name,refresh_token\nno-such-service,sales,r-2",
	} {
		b.Open(r.Hub.URL() + "/connections/import")
		b.Fill("table", table)
		b.Click(`form[action$="/table"] button[type=submit]`)
		hubtest.Eventually(t, "what became of it is told", func() bool { return has(b, `form[data-refill] [name="table"]`) || has(b, "#rest") })
		if has(b, "#rest") {
			b.Click("#rest")
			b.Wait(`[name="table"]`)
		}
		hubtest.Eventually(t, "the table is there", func() bool { return strings.TrimSpace(value(b, "table")) == wanted })
	}
	// From a page that cannot be opened by its address, as the one of a mistake is.
	endSessions(t, r)
	b.Click(`form[action$="/table"] button[type=submit]`)
	b.See("Your session has ended")
	logInAgain(b)
	b.Wait(`[name="table"]`)
	b.Open(r.Hub.URL() + "/connections/import")
	b.Fill("table", "service,name\nx,y")
	endSessions(t, r)
	b.Click(`form[action$="/table"] button[type=submit]`)
	b.See("Your session has ended")
	logInAgain(b)
	b.Wait(`[name="table"]`)
	if got := value(b, "table"); got != "service,name\nx,y" {
		t.Errorf("the table is %q", got)
	}
}

// Reloading the page that shows a new key makes no second one; so with links,
// invitations, the calendar's address and recovery codes. The key is shown until the
// list of keys is opened, and can be tried out there.
func TestWhatIsShownOnceIsMadeOnce(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	b := hubtest.StartBrowser(t, 1280, 900)
	connection := r.AddService(t, world.Service("google-calendar"))
	r.Authorize(t, connection)
	b.SetUp(r)
	keys := func() int {
		var n int
		if err := r.Database(t, "ro").QueryRowContext(t.Context(), "SELECT count(*) FROM api_keys").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := keys()
	b.Open(r.Hub.URL() + "/keys/new")
	b.Fill("title", "Bpium")
	b.Click(`input[name="which"][value="all"]`)
	b.Click("main form button[type=submit].btn-primary")
	b.Wait("#new-key")
	key := b.Text("#try")
	b.Do("reload", chromedp.Reload())
	b.Wait("#new-key")
	if n := keys(); n != before+1 {
		t.Errorf("there are %d keys, want %d", n, before+1)
	}
	secret := hubtest.Script[string](b, `document.querySelector('#new-key').value`)
	for _, command := range []string{key, b.Text("#try-powershell")} {
		if !strings.Contains(command, "Bearer "+secret) || strings.Contains(command, "EVERGRANT_API_KEY") {
			t.Errorf("the command is %s", command)
		}
	}
	b.Click("#try-here")
	b.See("200: the key works")
	token := (&hubtest.Client{Base: r.Hub.URL(), Key: secret}).Pull(t, connection).AccessToken
	if shown := b.Text("#key-run"); strings.Contains(shown, token) || !strings.Contains(shown, token[:6]+"…") {
		t.Errorf("the page shows %s", shown)
	}
	r.Admin.Must(t, "POST", "/api/v1/connections/"+connection+"/pause", nil, nil)
	b.Click("#try-here")
	b.See("409: there is no token")
	b.Open(r.Hub.URL() + "/keys")
	b.Open(r.Hub.URL() + "/keys/created")
	if b.Address() != r.Hub.URL()+"/keys" {
		t.Errorf("the key is still at %s", b.Address())
	}

	boss := hubtest.NewVisitor(t, r)
	boss.Ask("POST", "/login", url.Values{"login": {"anna"}, "password": {hubtest.Password}})
	for path, form := range map[string]url.Values{
		"/connections/" + connection + "/link": {}, "/people/invite": {"login": {"guest"}, "role": {"viewer"}}, "/settings/calendar": {},
	} {
		if status, _, to := boss.Ask("POST", path, form); status != 303 || to == "" {
			t.Errorf("%s answers %d: reloading would do it again", path, status)
		}
	}
}
