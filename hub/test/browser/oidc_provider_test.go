package hub_test

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/plugins/oauth2/oidctest"
)

// startBesideOIDCProvider starts a hub whose sign-in service is a real OpenID provider,
// npm's oidc-provider, which also has a client of somebody else's.
func startBesideOIDCProvider(t *testing.T) (r *running, callback string) {
	t.Helper()
	// Each has to know the other's address before it starts.
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := free.Addr().(*net.TCPAddr).Port //nolint:forcetypeassert // of a TCP listener
	_ = free.Close()
	home := "http://localhost:" + strconv.Itoa(port)
	callback = home + "/login/oidc/callback"
	client := func(id string) oidctest.Client {
		return oidctest.Client{ClientID: id, ClientSecret: id + "-secret-of-a-test", Auth: "client_secret_basic", RedirectURIs: []string{callback}}
	}
	server, err := oidctest.Start("../plugins/oauth2/oidctest", 10*time.Minute, client("hub"), client("other"))
	if errors.Is(err, oidctest.ErrMissing) && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Log(err)
		}
	})
	r = startHub(t, map[string]any{
		"listen": "127.0.0.1:" + strconv.Itoa(port), "public_url": home,
		"oidc.issuer": server.Issuer, "oidc.client_id": "hub", "oidc.client_secret": "hub-secret-of-a-test", "oidc.title": "Company", "oidc.join_as": "viewer",
	})
	r.owner(t)
	return r, callback
}

func TestSignInByOIDCProviderInTheBrowser(t *testing.T) {
	t.Parallel()
	r, _ := startBesideOIDCProvider(t)
	b := startBrowser(t, 1280, 900)
	b.strange = true
	b.open(r.hub.URL() + "/login?return_to=%2Fservices")
	b.press(`a[href^="/login/oidc"]`)
	b.wait(`input[name="login"]`)
	b.fill("login", "anna")
	b.fill("password", "any")
	b.press(`button[type=submit]`)
	b.see("Authorize")
	b.press(`button[type=submit]`)
	b.wait("nav")
	if b.address() != r.hub.URL()+"/services" {
		t.Errorf("the sign-in leads to %s", b.address())
	}
	b.see("anna@example.test")
	b.logOut()
	// Who is signed in there comes straight back, and never further than the hub.
	for _, hostile := range []string{"/%09/evil.example", "/%0A/evil.example", "%2F%2Fevil.example", "/%5Cevil.example", "https:evil.example"} {
		b.open(r.hub.URL() + "/login?return_to=" + hostile)
		b.press(`a[href^="/login/oidc"]`)
		b.wait("nav")
		if b.address() != r.hub.URL()+"/" {
			t.Errorf("return_to %s leads to %s", hostile, b.address())
		}
		b.logOut()
	}
}

// What is changed on the way to a real server or back does not lead in.
func TestSignInByOIDCProviderIsRefusedWhenItWasMeddledWith(t *testing.T) {
	t.Parallel()
	r, callback := startBesideOIDCProvider(t)
	for name, test := range map[string]struct {
		there, home func(url.Values)
		in          bool
	}{
		"nothing was changed":      {in: true},
		"another state":            {home: func(q url.Values) { q.Set("state", "another") }},
		"no state":                 {home: func(q url.Values) { q.Del("state") }},
		"another nonce":            {there: func(q url.Values) { q.Set("nonce", "another") }},
		"no nonce":                 {there: func(q url.Values) { q.Del("nonce") }},
		"a code for another":       {there: func(q url.Values) { q.Set("client_id", "other") }},
		"another verifier's code":  {there: func(q url.Values) { q.Set("code_challenge", strings.Repeat("a", 43)) }},
		"no iss, though announced": {home: func(q url.Values) { q.Del("iss") }},
		"another iss":              {home: func(q url.Values) { q.Set("iss", "https://evil.example") }},
		"no code":                  {home: func(q url.Values) { q.Del("code") }},
		"another code":             {home: func(q url.Values) { q.Set("code", "another") }},
	} {
		t.Run(name, func(t *testing.T) {
			v := newVisitor(t, r)
			_, _, away := v.ask("GET", "/login/oidc?return_to=%2Fservices", nil)
			home, err := oidctest.NewPerson().Authorise(t.Context(), changed(t, away, test.there), callback, true)
			if err != nil {
				t.Fatal(err)
			}
			address := changed(t, home.String(), test.home)
			status, page, location := v.ask("GET", strings.TrimPrefix(address, r.hub.URL()), nil)
			if test.in != (status == http.StatusSeeOther && location == "/services") {
				t.Errorf("the callback answers %d %q: %.300s", status, location, page)
			}
			// The same callback again is worth nothing, to anybody.
			if status, _, _ := v.ask("GET", strings.TrimPrefix(home.String(), r.hub.URL()), nil); status != http.StatusForbidden {
				t.Errorf("the callback answers %d a second time", status)
			}
		})
	}
}

func changed(t *testing.T, address string, change func(url.Values)) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		q := u.Query()
		change(q)
		u.RawQuery = q.Encode()
	}
	return u.String()
}

// A passkey login leads by the page's script, which no content policy holds back.
func TestPasskeyLoginStaysAtTheHub(t *testing.T) {
	t.Parallel()
	r := startHub(t, nil)
	r.owner(t)
	b := startBrowser(t, 1280, 900)
	b.keepPasskeys()
	b.logIn(r, "owner")
	b.open(r.hub.URL() + "/settings")
	b.addPasskey("Laptop")
	b.see("The passkey Laptop was added")
	for to, leads := range map[string]string{"%2Fconnections%3Fq%3Da": "/connections?q=a", "/%09/evil.example": "/", "/%0D%0A/evil.example": "/", "%2F%2Fevil.example": "/", "/%5C%5Cevil.example": "/", "javascript:alert(1)": "/"} {
		b.logOut()
		b.open(r.hub.URL() + "/login?return_to=" + to)
		b.press("#passkey-login")
		b.wait("nav")
		if b.address() != r.hub.URL()+leads {
			t.Errorf("return_to %s leads to %s", to, b.address())
		}
	}
}
