package hub_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

// keepPasskeys gives the browser a device that keeps passkeys and always knows its
// holder, until verify says otherwise.
func (b *browser) keepPasskeys() (verify func(knows bool)) {
	b.t.Helper()
	device, err := chromedp.Run(b.ctx, func(ctx context.Context, tab *chromedp.Target) (webauthn.AuthenticatorID, error) {
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
		b.t.Fatal(err)
	}
	return func(knows bool) {
		b.do("change who is there", func(ctx context.Context, tab *chromedp.Target) (chromedp.Void, error) {
			_, err := cdp.Call(ctx, tab, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: device, IsUserVerified: knows})
			return chromedp.Void{}, err
		})
	}
}

// forgetJSON makes the browser one that does not write passkeys as JSON by itself.
func (b *browser) forgetJSON() {
	b.t.Helper()
	script[bool](b, `delete PublicKeyCredential.parseCreationOptionsFromJSON && delete PublicKeyCredential.parseRequestOptionsFromJSON && delete PublicKeyCredential.prototype.toJSON`)
}

func (b *browser) logOut() {
	b.t.Helper()
	b.do("log out", chromedp.Submit(`form[action$="/logout"]`), chromedp.WaitVisible(`form[action$="/login"]`))
}

// press clicks as a script does. A page that has just come up may lose what a mouse
// does, and these come up by a script, which chromedp does not wait for.
func (b *browser) press(selector string) {
	b.t.Helper()
	b.wait(selector)
	script[bool](b, "document.querySelector(`"+selector+"`).click(), true")
}

func (b *browser) addPasskey(title string) {
	b.t.Helper()
	b.fill("title", title)
	b.press(`form[data-passkey$="/settings/passkeys/"] button[type=submit]`)
}

func TestPasskeyIsAddedUsedAndRemovedInTheBrowser(t *testing.T) {
	t.Parallel()
	r := startHub(t, nil)
	r.owner(t)
	b := startBrowser(t, 1280, 900)
	verify := b.keepPasskeys()
	b.logIn(r, "owner")
	b.open(r.hub.URL() + "/settings")
	verify(false)
	b.addPasskey("Laptop")
	b.see("Nothing was added; try again")
	verify(true)
	b.addPasskey("Laptop")
	b.see("The passkey Laptop was added")
	b.see("last used: never")
	b.addPasskey("The same laptop")
	b.see("This device keeps a passkey of yours already")

	b.logOut()
	b.open(r.hub.URL() + "/login?return_to=%2Fservices")
	verify(false)
	b.press("#passkey-login")
	b.see("The device did not answer, or you have cancelled")
	verify(true)
	b.press("#passkey-login")
	b.wait("nav")
	if !strings.HasSuffix(b.address(), "/services") {
		t.Errorf("the login leads to %s", b.address())
	}
	b.logOut()
	b.forgetJSON()
	b.press("#passkey-login")
	b.wait("nav")

	b.open(strings.Replace(r.hub.URL(), "localhost", "127.0.0.1", 1) + "/login")
	b.press("#passkey-login")
	b.see("Passkeys of this hub work at " + r.hub.URL() + " alone")

	b.open(r.hub.URL() + "/settings")
	b.press(`[data-opens^="passkey-"]`)
	b.see("Remove the passkey Laptop?")
	b.press(`dialog[open] button[type=submit]`)
	b.see("The passkey Laptop was removed")
	b.logOut()
	b.press("#passkey-login")
	b.see("This hub does not know that passkey")
	b.open(r.hub.URL() + "/services")
	b.wait(`form[action="/login"]`)
}

func TestPasskeyIsTheSecondFactorThatEverybodyNeeds(t *testing.T) {
	t.Parallel()
	r := startHub(t, nil)
	boss := r.owner(t)
	people := map[string]*visitor{"guest": boss.invite(r, "guest", "operator"), "chief": boss.invite(r, "chief", "administrator")}
	for login, v := range people {
		if status, _, _ := v.ask("POST", "/people/require-second-factor", url.Values{"require": {"yes"}}); status != http.StatusForbidden {
			t.Errorf("%s may require a second factor: %d", login, status)
		}
	}
	if _, page, _ := people["chief"].ask("GET", "/people", nil); strings.Contains(page, "require-second-factor") {
		t.Error("an administrator is offered what owners alone may do")
	}
	b := startBrowser(t, 1280, 900)
	b.keepPasskeys()
	b.logIn(r, "owner")
	b.open(r.hub.URL() + "/people")
	b.click(`[name="require"]`)
	b.click(`form[action="/people/require-second-factor"] button`)
	b.see("This hub asks everybody for a second factor")

	guest := people["guest"]
	for _, route := range []string{"GET /", "GET /connections", "GET /settings", "POST /bulk", "POST /settings/password", "GET /once", "POST /settings/sessions/end"} {
		method, path, _ := strings.Cut(route, " ")
		var form url.Values
		if method == "POST" {
			form = url.Values{"x": {"y"}}
		}
		if status, _, to := guest.ask(method, path, form); status != http.StatusSeeOther || to != "/settings/second-factor" {
			t.Errorf("%s answers somebody without a second factor %d %s", route, status, to)
		}
	}
	if status, _, _ := guest.ask("POST", "/preferences", url.Values{"theme": {"dark"}, "return_to": {"/"}}); status != http.StatusSeeOther {
		t.Errorf("the preferences answer %d", status)
	}

	b.see("Set up codes of an authenticator app here, or add a passkey below")
	b.forgetJSON()
	b.addPasskey("Key")
	b.see("The passkey Key was added")
	b.open(r.hub.URL() + "/people")
	b.see("1 passkey")
	b.logOut()
	if status, page, _ := newVisitor(t, r).ask("POST", "/login", url.Values{"login": {"owner"}, "password": {testPassword}}); status != http.StatusForbidden || !strings.Contains(page, "Log in with your passkey") {
		t.Errorf("the password alone answers %d: %s", status, page)
	}
	b.press("#passkey-login")
	b.wait("nav")
	b.open(r.hub.URL() + "/people")
	b.click(`[name="require"]`)
	b.click(`form[action="/people/require-second-factor"] button`)
	b.see("A password alone is enough again")
	if status, _, _ := guest.ask("GET", "/connections", nil); status != http.StatusOK {
		t.Errorf("the page answers %d when no second factor is required any more", status)
	}
}

// The sign-in service has asked for whatever it wants.
func TestPasskeyIsNotAskedOfWhoComesFromTheSignInService(t *testing.T) {
	t.Parallel()
	service := startSignInService(t)
	r := startHub(t, map[string]any{"oidc.issuer": service.URL, "oidc.client_id": "hub", "oidc.client_secret": "oidc-secret", "oidc.title": "Company"})
	boss := r.owner(t)
	boss.ask("POST", "/people/invite", url.Values{"login": {"olga@example.com"}, "role": {"operator"}})
	boss.ask("POST", "/people/require-second-factor", url.Values{"require": {"yes"}})
	service.is(map[string]any{"sub": "7", "email": "olga@example.com", "email_verified": true, "name": "Olga"})
	olga := newVisitor(t, r)
	olga.federatedLogin()
	if status, _, to := olga.ask("GET", "/connections", nil); status != http.StatusOK {
		t.Errorf("the page answers %d %s", status, to)
	}
	if status, _, to := boss.ask("GET", "/connections", nil); status != http.StatusSeeOther || to != "/settings/second-factor" {
		t.Errorf("the page answers the owner without a second factor %d %s", status, to)
	}
}
