package browser_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// sessionsAge makes all proofs of sessions too old.
func sessionsAge(t *testing.T, r *hubtest.Running) {
	t.Helper()
	r.Execute(t, "UPDATE user_sessions SET proved_at = proved_at - 301000 WHERE proved_at > 0")
}

func TestASessionAloneChangesNoFactorAndMakesNoAdminKey(t *testing.T) {
	t.Parallel()
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	guest := boss.Invite(r, "guest", "viewer")
	_ = guest
	key := r.KeyOf(t, map[string]any{"title": "admin", "scopes": []string{"admin:*"}})
	_ = key
	asks := func(what, method, path string, form url.Values) {
		t.Helper()
		status, page, to := boss.Ask(method, path, form)
		if !strings.Contains(to, "/login/confirm?") && !strings.Contains(page, "/login/confirm?") {
			t.Errorf("%s: a session alone answers %d %s", what, status, to)
		}
	}
	sessionsAge(t, r)
	var adminKey string
	var keys struct {
		Items []struct{ ID, Title string }
	}
	r.Admin.Must(t, "GET", "/api/v1/api-keys", nil, &keys)
	for _, k := range keys.Items {
		if k.Title == "admin" {
			adminKey = k.ID
		}
	}
	asks("a second factor", "GET", "/settings/second-factor", nil)
	asks("its code", "POST", "/settings/second-factor", url.Values{"code": {"123456"}})
	asks("a passkey", "POST", "/settings/passkeys/begin", url.Values{})
	asks("removing a passkey", "POST", "/settings/passkeys/some/remove", url.Values{})
	asks("another person's factor", "POST", "/people/some/forget-second-factor", url.Values{})
	asks("what everybody needs", "POST", "/people/require-second-factor", url.Values{})
	asks("a key that may do everything", "POST", "/keys/new", url.Values{"title": {"k"}, "which": {"admin"}})
	asks("the same by its scopes", "POST", "/keys/new", url.Values{"title": {"k"}, "which": {"all"}, "scopes": {"admin:*"}})
	asks("rotating one", "POST", "/keys/"+adminKey+"/rotate", url.Values{"overlap": {"1h"}})
	asks("consent to hosts", "POST", "/services/consent-hosts", url.Values{"consent_hosts": {"x.example"}})
	// What needs none goes on.
	if status, _, to := boss.Ask("POST", "/keys/new", url.Values{"title": {"k"}, "which": {"all"}, "scopes": {"token:read"}}); status != http.StatusSeeOther || to != "/keys/created" {
		t.Errorf("a key for tokens answers %d %s", status, to)
	}
	if status, _, _ := boss.Ask("POST", "/login/confirm", url.Values{"password": {"not the password"}, "return_to": {"/keys/new"}}); status != http.StatusUnprocessableEntity {
		t.Errorf("a wrong password confirms with %d", status)
	}
	asks("after a wrong password", "POST", "/keys/new", url.Values{"title": {"k"}, "which": {"admin"}})
	if status, _, to := boss.Ask("POST", "/login/confirm", url.Values{"password": {hubtest.Password}, "return_to": {"//evil.example"}}); status != http.StatusSeeOther || to != "/" {
		t.Errorf("the password confirms with %d %s", status, to)
	}
	if status, _, to := boss.Ask("POST", "/keys/new", url.Values{"title": {"k"}, "which": {"admin"}}); status != http.StatusSeeOther || to != "/keys/created" {
		t.Errorf("after the password: %d %s", status, to)
	}
	if acts := boss.Acts("person.confirm"); len(acts) != 2 { // the wrong password as well
		t.Errorf("the audit record holds %q", acts)
	}
}

// What was entered is there again after the confirmation, but for its secrets.
func TestAConfirmationLosesNothingThatWasEntered(t *testing.T) {
	t.Parallel()
	r := hubtest.StartHub(t, nil)
	b := hubtest.StartBrowser(t, 1280, 900)
	b.SetUp(r)
	sessionsAge(t, r)
	b.Open(r.Hub.URL() + "/keys/new")
	b.Fill("title", "For the night job")
	b.Click(`[name="which"][value="admin"]`)
	b.Click(`main form button[type=submit].btn-primary`)
	b.See("Confirm that it is you")
	b.Fill("password", hubtest.Password)
	b.Click(`form[action="/login/confirm"] button[type=submit]`)
	b.Wait(`[name="title"]`)
	if value(b, "title") != "For the night job" || !hubtest.Script[bool](b, `document.querySelector('[name="which"][value="admin"]').checked`) {
		t.Errorf("the form has the title %q", value(b, "title"))
	}
	b.Click(`main form button[type=submit].btn-primary`)
	hubtest.Eventually(t, "the key is made", func() bool { return strings.HasSuffix(b.Address(), "/keys/created") })
}

func TestWhoComesFromTheSignInServiceSignsInAnew(t *testing.T) {
	t.Parallel()
	service := hubtest.StartSignInService(t)
	r := hubtest.StartHub(t, map[string]any{"oidc.issuer": service.URL, "oidc.client_id": "hub", "oidc.client_secret": "oidc-secret", "oidc.title": "Company"})
	boss := r.Owner(t)
	boss.Ask("POST", "/people/invite", url.Values{"login": {"olga@example.com"}, "role": {"administrator"}})
	claims := map[string]any{"sub": "7", "email": "olga@example.com", "email_verified": true, "name": "Olga"}
	service.Is(claims)
	olga := hubtest.NewVisitor(t, r)
	olga.FederatedLogin()
	form := url.Values{"title": {"k"}, "which": {"admin"}}
	if _, _, to := olga.Ask("POST", "/keys/new", form); !strings.HasPrefix(to, "/login/confirm") {
		t.Fatalf("a sign-in that may have asked for nothing is proof: %s", to)
	}
	if _, page, _ := olga.Ask("GET", "/login/confirm?return_to=/keys/new", nil); !strings.Contains(page, "fresh=1") || strings.Contains(page, `name="password"`) {
		t.Error("the page does not lead to the sign-in service alone")
	}
	anew := func(authenticated time.Time) string {
		claims["auth_time"] = authenticated.Unix()
		service.Is(claims)
		_, _, away := olga.Ask("GET", "/login/oidc?fresh=1&return_to=/keys/new", nil)
		if !strings.Contains(away, "prompt=login") || !strings.Contains(away, "max_age=300") {
			t.Errorf("the service is not asked for a fresh sign-in: %s", away)
		}
		_, _, home := olga.Ask("GET", away, nil)
		_, _, to := olga.Ask("GET", strings.TrimPrefix(home, olga.Base), nil)
		if to != "/keys/new" {
			t.Errorf("the sign-in leads to %s", to)
		}
		_, _, to = olga.Ask("POST", "/keys/new", form)
		return to
	}
	if to := anew(time.Now().Add(-time.Hour)); !strings.HasPrefix(to, "/login/confirm") {
		t.Errorf("an old sign-in is proof: %s", to)
	}
	if to := anew(time.Now()); to != "/keys/created" {
		t.Errorf("a fresh sign-in is no proof: %s", to)
	}
}

// Whoever is removed, disabled or demoted leaves no key, invitation or link behind.
func TestWhoLeavesLeavesNoWayBack(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	name := r.AddService(t, world.Service("oauth2"))
	for what, form := range map[string]url.Values{"disable": {}, "remove": {}, "role": {"role": {"viewer"}}} {
		login := "leaver-" + what
		admin := boss.Invite(r, login, "administrator")
		page := admin.Follow("/keys/new", url.Values{"title": {"key of " + login}, "which": {"admin"}})
		secret := hubtest.KeyRE.FindString(page)
		if secret == "" {
			t.Fatalf("%s: no key: %s", what, page)
		}
		made := r.With(secret)
		var child struct{ Key, CreatedBy string }
		made.Must(t, "POST", "/api/v1/api-keys", map[string]any{"title": "child of " + login, "scopes": []string{"admin:*"}}, &child)
		invitation := hubtest.InviteRE.FindStringSubmatch(admin.Follow("/people/invite", url.Values{"login": {"friend-of-" + login}, "role": {"administrator"}}))
		link := hubtest.GrantPathRE.FindString(admin.Follow("/connections/"+name+"/link", url.Values{}))
		if invitation == nil || link == "" {
			t.Fatalf("%s: no invitation or link", what)
		}
		_, people, _ := boss.Ask("GET", "/people", nil)
		id := hubtest.PersonIDOf(people, login)
		if !strings.Contains(people, "key of "+login) || !strings.Contains(people, "friend-of-"+login) {
			t.Errorf("%s: the page does not name what is withdrawn", what)
		}
		boss.Follow("/people/"+id+"/"+what, form)
		for which, key := range map[string]*hubtest.Client{"the key": made, "a key that it made": r.With(child.Key)} {
			if status, _ := key.Do(t, "GET", "/api/v1/services", nil); status != http.StatusUnauthorized {
				t.Errorf("%s: %s answers %d", what, which, status)
			}
		}
		stranger := hubtest.NewVisitor(t, r)
		if status, _, _ := stranger.Ask("POST", "/invite", url.Values{"link": {invitation[1]}, "name": {"x"}, "password": {hubtest.Password}, "repeat": {hubtest.Password}}); status == http.StatusSeeOther {
			t.Errorf("%s: the invitation is accepted", what)
		}
		if status, _, _ := stranger.Ask("GET", link, nil); status == http.StatusOK {
			t.Errorf("%s: the link is followed", what)
		}
	}
	if acts := boss.Acts("person.withdraw"); len(acts) != 3 {
		t.Errorf("the audit record holds %q", acts)
	}
}
