package browser_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// keepPasskeys gives the browser a device that keeps passkeys and always knows its
// holder, until verify says otherwise.
func keepPasskeys(b *hubtest.Browser) (verify func(knows bool)) {
	b.T.Helper()
	device, err := chromedp.Run(b.Ctx, func(ctx context.Context, tab *chromedp.Target) (webauthn.AuthenticatorID, error) {
		if _, err := cdp.Call(ctx, tab, webauthn.Enable, webauthn.EnableParams{}); err != nil {
			return "", err
		}
		made, err := cdp.Call(ctx, tab, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{
			Options: &webauthn.VirtualAuthenticatorOptions{
				Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
				HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
			},
		})
		return made.AuthenticatorID, err
	})
	if err != nil {
		b.T.Fatal(err)
	}
	return func(knows bool) {
		b.Do("change who is there", func(ctx context.Context, tab *chromedp.Target) (chromedp.Void, error) {
			_, err := cdp.Call(ctx, tab, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: device, IsUserVerified: knows})
			return chromedp.Void{}, err
		})
	}
}

// forgetJSON makes the browser one that does not write passkeys as JSON by itself.
func forgetJSON(b *hubtest.Browser) {
	b.T.Helper()
	hubtest.Script[bool](b, `delete PublicKeyCredential.parseCreationOptionsFromJSON && delete PublicKeyCredential.parseRequestOptionsFromJSON && delete PublicKeyCredential.prototype.toJSON`)
}

func logOut(b *hubtest.Browser) {
	b.T.Helper()
	b.Do("log out", chromedp.Submit(`form[action$="/logout"]`), chromedp.WaitVisible(`form[action$="/login"]`))
}

// press clicks as a script does. A page that has just come up may lose what a mouse
// does, and these come up by a script, which chromedp does not wait for.
func press(b *hubtest.Browser, selector string) {
	b.T.Helper()
	b.Wait(selector)
	hubtest.Script[bool](b, "document.querySelector(`"+selector+"`).click(), true")
}

func addPasskey(b *hubtest.Browser, title string) {
	b.T.Helper()
	b.Fill("title", title)
	press(b, `form[data-passkey$="/settings/passkeys/"] button[type=submit]`)
}

func TestPasskeyIsAddedUsedAndRemovedInTheBrowser(t *testing.T) {
	t.Parallel()
	r := hubtest.StartHub(t, nil)
	r.Owner(t)
	b := hubtest.StartBrowser(t, 1280, 900)
	verify := keepPasskeys(b)
	b.LogIn(r, "owner")
	b.Open(r.Hub.URL() + "/settings")
	verify(false)
	addPasskey(b, "Laptop")
	b.See("Nothing was added; try again")
	verify(true)
	addPasskey(b, "Laptop")
	b.See("The passkey Laptop was added")
	b.See("last used: never")
	addPasskey(b, "The same laptop")
	b.See("This device keeps a passkey of yours already")

	logOut(b)
	b.Open(r.Hub.URL() + "/login?return_to=%2Fservices")
	verify(false)
	press(b, "#passkey-login")
	b.See("The device did not answer, or you have cancelled")
	verify(true)
	press(b, "#passkey-login")
	b.Wait("nav")
	if !strings.HasSuffix(b.Address(), "/services") {
		t.Errorf("the login leads to %s", b.Address())
	}
	logOut(b)
	forgetJSON(b)
	press(b, "#passkey-login")
	b.Wait("nav")

	b.Open(strings.Replace(r.Hub.URL(), "localhost", "127.0.0.1", 1) + "/login")
	press(b, "#passkey-login")
	b.See("Passkeys of this hub work at " + r.Hub.URL() + " alone")

	b.Open(r.Hub.URL() + "/settings")
	press(b, `[data-opens^="passkey-"]`)
	b.See("Remove the passkey Laptop?")
	press(b, `dialog[open] button[type=submit]`)
	b.See("The passkey Laptop was removed")
	logOut(b)
	press(b, "#passkey-login")
	b.See("This hub does not know that passkey")
	b.Open(r.Hub.URL() + "/services")
	b.Wait(`form[action="/login"]`)
}

func TestPasskeyIsTheSecondFactorThatEverybodyNeeds(t *testing.T) {
	t.Parallel()
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	people := map[string]*hubtest.Visitor{"guest": boss.Invite(r, "guest", "operator"), "chief": boss.Invite(r, "chief", "administrator")}
	for login, v := range people {
		if status, _, _ := v.Ask("POST", "/people/require-second-factor", url.Values{"require": {"yes"}}); status != http.StatusForbidden {
			t.Errorf("%s may require a second factor: %d", login, status)
		}
	}
	if _, page, _ := people["chief"].Ask("GET", "/people", nil); strings.Contains(page, "require-second-factor") {
		t.Error("an administrator is offered what owners alone may do")
	}
	b := hubtest.StartBrowser(t, 1280, 900)
	keepPasskeys(b)
	b.LogIn(r, "owner")
	b.Open(r.Hub.URL() + "/people")
	b.Click(`[name="require"]`)
	b.Click(`form[action="/people/require-second-factor"] button`)
	b.See("This hub asks everybody for a second factor")

	guest := people["guest"]
	for _, route := range []string{"GET /", "GET /connections", "GET /settings", "POST /bulk", "POST /settings/password", "GET /once", "POST /settings/sessions/end"} {
		method, path, _ := strings.Cut(route, " ")
		var form url.Values
		if method == "POST" {
			form = url.Values{"x": {"y"}}
		}
		if status, _, to := guest.Ask(method, path, form); status != http.StatusSeeOther || to != "/settings/second-factor" {
			t.Errorf("%s answers somebody without a second factor %d %s", route, status, to)
		}
	}
	if status, _, _ := guest.Ask("POST", "/preferences", url.Values{"theme": {"dark"}, "return_to": {"/"}}); status != http.StatusSeeOther {
		t.Errorf("the preferences answer %d", status)
	}

	b.See("Set up codes of an authenticator app here, or add a passkey below")
	forgetJSON(b)
	addPasskey(b, "Key")
	b.See("The passkey Key was added")
	b.Open(r.Hub.URL() + "/people")
	b.See("1 passkey")
	logOut(b)
	if status, page, _ := hubtest.NewVisitor(t, r).Ask("POST", "/login", url.Values{"login": {"owner"}, "password": {hubtest.Password}}); status != http.StatusForbidden || !strings.Contains(page, "Log in with your passkey") {
		t.Errorf("the password alone answers %d: %s", status, page)
	}
	press(b, "#passkey-login")
	b.Wait("nav")
	b.Open(r.Hub.URL() + "/people")
	b.Click(`[name="require"]`)
	b.Click(`form[action="/people/require-second-factor"] button`)
	b.See("A password alone is enough again")
	if status, _, _ := guest.Ask("GET", "/connections", nil); status != http.StatusOK {
		t.Errorf("the page answers %d when no second factor is required any more", status)
	}
}

// The sign-in service has asked for whatever it wants.
func TestPasskeyIsNotAskedOfWhoComesFromTheSignInService(t *testing.T) {
	t.Parallel()
	service := hubtest.StartSignInService(t)
	r := hubtest.StartHub(t, map[string]any{"oidc.issuer": service.URL, "oidc.client_id": "hub", "oidc.client_secret": "oidc-secret", "oidc.title": "Company"})
	boss := r.Owner(t)
	boss.Ask("POST", "/people/invite", url.Values{"login": {"olga@example.com"}, "role": {"operator"}})
	boss.Ask("POST", "/people/require-second-factor", url.Values{"require": {"yes"}})
	service.Is(map[string]any{"sub": "7", "email": "olga@example.com", "email_verified": true, "name": "Olga"})
	olga := hubtest.NewVisitor(t, r)
	olga.FederatedLogin()
	if status, _, to := olga.Ask("GET", "/connections", nil); status != http.StatusOK {
		t.Errorf("the page answers %d %s", status, to)
	}
	if status, _, to := boss.Ask("GET", "/connections", nil); status != http.StatusSeeOther || to != "/settings/second-factor" {
		t.Errorf("the page answers the owner without a second factor %d %s", status, to)
	}
}
