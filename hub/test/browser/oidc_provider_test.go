package browser_test

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

	"github.com/evergrant/evergrant/hub/test/hubtest"
	"github.com/evergrant/evergrant/plugins/oauth2/oidctest"
)

// startBesideOIDCProvider starts a hub whose sign-in service is a real OpenID provider,
// npm's oidc-provider, which also has a client of somebody else's.
func startBesideOIDCProvider(t *testing.T) (r *hubtest.Running, callback string) {
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
	server, err := oidctest.Start(oidctest.Config{Dir: "../../../plugins/oauth2/oidctest", AccessLife: 10 * time.Minute, Clients: []oidctest.Client{client("hub"), client("other")}})
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
	r = hubtest.StartHub(t, map[string]any{
		"listen": "127.0.0.1:" + strconv.Itoa(port), "public_url": home,
		"oidc.issuer": server.Issuer, "oidc.client_id": "hub", "oidc.client_secret": "hub-secret-of-a-test", "oidc.title": "Company", "oidc.join_as": "viewer",
	})
	r.Owner(t)
	return r, callback
}

func TestSignInByOIDCProviderInTheBrowser(t *testing.T) {
	t.Parallel()
	r, _ := startBesideOIDCProvider(t)
	b := hubtest.StartBrowser(t, 1280, 900)
	b.Strange = true
	b.Open(r.Hub.URL() + "/login?return_to=%2Fservices")
	press(b, `a[href^="/login/oidc"]`)
	b.Wait(`input[name="login"]`)
	b.Fill("login", "anna")
	b.Fill("password", "any")
	press(b, `button[type=submit]`)
	b.See("Authorize")
	press(b, `button[type=submit]`)
	b.Wait("nav")
	if b.Address() != r.Hub.URL()+"/services" {
		t.Errorf("the sign-in leads to %s", b.Address())
	}
	b.See("anna@example.test")
	logOut(b)
	// Who is signed in there comes straight back, and never further than the hub.
	for _, hostile := range []string{"/%09/evil.example", "/%0A/evil.example", "%2F%2Fevil.example", "/%5Cevil.example", "https:evil.example"} {
		b.Open(r.Hub.URL() + "/login?return_to=" + hostile)
		press(b, `a[href^="/login/oidc"]`)
		b.Wait("nav")
		if b.Address() != r.Hub.URL()+"/" {
			t.Errorf("return_to %s leads to %s", hostile, b.Address())
		}
		logOut(b)
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
			v := hubtest.NewVisitor(t, r)
			_, _, away := v.Ask("GET", "/login/oidc?return_to=%2Fservices", nil)
			home, err := oidctest.NewPerson().Authorize(t.Context(), changed(t, away, test.there), callback, true)
			if err != nil {
				t.Fatal(err)
			}
			address := changed(t, home.String(), test.home)
			status, page, location := v.Ask("GET", strings.TrimPrefix(address, r.Hub.URL()), nil)
			if test.in != (status == http.StatusSeeOther && location == "/services") {
				t.Errorf("the callback answers %d %q: %.300s", status, location, page)
			}
			// The same callback again is worth nothing, to anybody.
			if status, _, _ := v.Ask("GET", strings.TrimPrefix(home.String(), r.Hub.URL()), nil); status != http.StatusForbidden {
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
	r := hubtest.StartHub(t, nil)
	r.Owner(t)
	b := hubtest.StartBrowser(t, 1280, 900)
	keepPasskeys(b)
	b.LogIn(r, "owner")
	b.Open(r.Hub.URL() + "/settings")
	addPasskey(b, "Laptop")
	b.See("The passkey Laptop was added")
	for to, leads := range map[string]string{"%2Fconnections%3Fq%3Da": "/connections?q=a", "/%09/evil.example": "/", "/%0D%0A/evil.example": "/", "%2F%2Fevil.example": "/", "/%5C%5Cevil.example": "/", "javascript:alert(1)": "/"} {
		logOut(b)
		b.Open(r.Hub.URL() + "/login?return_to=" + to)
		press(b, "#passkey-login")
		b.Wait("nav")
		if b.Address() != r.Hub.URL()+leads {
			t.Errorf("return_to %s leads to %s", to, b.Address())
		}
	}
}
