package foreign

import (
	"errors"
	"maps"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/test/hubtest"
	"github.com/evergrant/evergrant/plugins/oauth2/oidctest"
)

const secret = "a-secret-of-a-test-that-is-long-enough-to-sign"

// startOIDC starts oidc-provider. Where Node.js or the packages are missing the test is
// skipped, but never in CI.
func startOIDC(t *testing.T, c oidctest.Config) *oidctest.Server {
	t.Helper()
	c.Dir = "../../../plugins/oauth2/oidctest"
	server, err := oidctest.Start(c)
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
	return server
}

// client is a client whose service has its name in a hub.
func client(r *hubtest.Running, name, auth string) oidctest.Client {
	c := oidctest.Client{ClientID: name, Auth: auth, RedirectURIs: []string{r.Hub.URL() + "/callback/" + name}}
	switch auth {
	case "private_key_jwt":
		c.JWKSURI, c.Algorithm = r.Hub.URL()+"/jwks/"+name, "ES256"
	case "self_signed_tls_client_auth":
		c.JWKSURI = r.Hub.URL() + "/jwks/" + name
	case "none":
	default:
		c.ClientSecret = secret
	}
	return c
}

// keys are those that the hub makes for a way of client authentication.
var keys = map[string]string{"private_key_jwt": "client-key", "self_signed_tls_client_auth": "client-certificate"}

// add adds the service of a client, with the key that it needs and a connection of the same
// name.
func add(t *testing.T, r *hubtest.Running, boss *hubtest.Visitor, issuer string, c oidctest.Client, options map[string]any) {
	t.Helper()
	entered := map[string]any{"issuer": issuer}
	if c.Auth != "none" {
		entered["client_auth"] = c.Auth
	}
	scopes := []string{"openid", "email", "offline_access"}
	maps.Copy(entered, options)
	if entered["grants"] == "client_credentials" {
		scopes = nil
	}
	r.Admin.Must(t, "POST", "/api/v1/services", map[string]any{
		"name": c.ClientID, "title": c.ClientID, "provider": "oauth2", "client_id": c.ClientID, "client_secret": c.ClientSecret, "scopes": scopes, "options": entered,
	}, nil)
	if key := keys[c.Auth]; key != "" {
		if status, page, _ := boss.Ask("POST", "/services/"+c.ClientID+"/keys/"+key+"/make", url.Values{}); status != http.StatusSeeOther {
			t.Fatalf("the key is not made: %d\n%s", status, page)
		}
	}
	r.Admin.Must(t, "POST", "/api/v1/connections", map[string]any{"service": c.ClientID, "name": c.ClientID, "title": c.ClientID}, nil)
}

// authorize plays the person at oidc-provider.
func authorize(t *testing.T, r *hubtest.Running, connection string) {
	t.Helper()
	finish(t, r, connection, "anna", func(address string) (*url.URL, error) {
		return oidctest.NewPerson().Authorize(t.Context(), address, r.Hub.URL()+"/callback/"+connection, true)
	})
}

// finish begins an authorization, has a person follow its address to the callback, and wants
// the connection to be that account's.
func finish(t *testing.T, r *hubtest.Running, connection, account string, person func(address string) (*url.URL, error)) {
	t.Helper()
	var s hubtest.Started
	r.Admin.Must(t, "POST", "/api/v1/connections/"+connection+"/authorizations", nil, &s)
	landed, err := person(s.AuthorizeURL)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, landed.String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.AddCookie(&http.Cookie{Name: s.BrowserCookie.Name, Value: s.BrowserCookie.Value})
	status, page := hubtest.Send(t, req)
	if v := r.View(t, connection); v.Generation == 0 || v.Account == nil || v.Account.ID != account {
		t.Fatalf("the callback answered %d, the connection is %+v:\n%s", status, v, page)
	}
}

// live pulls, renews twice and pulls again.
func live(t *testing.T, r *hubtest.Running, connection string) {
	t.Helper()
	process := r.Key(t, connection)
	last := process.Pull(t, connection)
	for range 2 {
		renew(t, r, connection)
		next := process.Pull(t, connection)
		if next.Generation != last.Generation+1 || next.AccessToken == last.AccessToken || next.Trouble != nil {
			t.Fatalf("generation %d after %d, with the trouble %+v", next.Generation, last.Generation, next.Trouble)
		}
		last = next
	}
}

// renew renews a connection. A busy machine may answer before the server has.
func renew(t *testing.T, r *hubtest.Running, connection string) {
	t.Helper()
	before := r.View(t, connection).Generation
	status, answer := r.Admin.Do(t, "POST", "/api/v1/connections/"+connection+"/renew", nil)
	if status >= http.StatusBadRequest && !strings.Contains(string(answer), "renewal_in_progress") {
		t.Fatalf("the renewal of %s answers %d %s", connection, status, answer)
	}
	hubtest.Eventually(t, connection+" to be renewed", func() bool { return r.View(t, connection).Generation > before })
}

func seen(t *testing.T, server *oidctest.Server) oidctest.Seen {
	t.Helper()
	s, err := server.Seen()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Each way of client authentication and each further protection of a request is accepted by
// oidc-provider, with the keys that the hub keeps and publishes.
func TestOIDCProviderAcceptsEachProofOfAClient(t *testing.T) {
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	pushed := client(r, "pushed", "private_key_jwt")
	pushed.PushRequired = true
	bound := client(r, "bound", "none")
	bound.DPoPBound = true
	for _, test := range []struct {
		client  oidctest.Client
		options map[string]any
		tls     bool
	}{
		{client: client(r, "basic", "client_secret_basic")},
		{client: client(r, "post", "client_secret_post")},
		{client: client(r, "public", "none")},
		{client: client(r, "secret-jwt", "client_secret_jwt")},
		{client: client(r, "key", "private_key_jwt")},
		{client: client(r, "certificate", "self_signed_tls_client_auth"), tls: true},
		{client: pushed, options: map[string]any{"push": true}},
		{client: bound, options: map[string]any{"dpop": true}},
	} {
		t.Run(test.client.ClientID, func(t *testing.T) {
			config := oidctest.Config{AccessLife: 10 * time.Minute, Nonces: test.client.DPoPBound, Clients: []oidctest.Client{test.client}}
			if test.tls {
				config.Certificate, config.Key = served.certificate, served.key
			}
			server := startOIDC(t, config)
			add(t, r, boss, server.Issuer, test.client, test.options)
			authorize(t, r, test.client.ClientID)
			live(t, r, test.client.ClientID)
			s := seen(t, server)
			if s.Renewed != 2 || s.Auth[test.client.Auth] != 3 || (s.Pushed == 1) != test.client.PushRequired || (s.Bound == 3) != test.client.DPoPBound {
				t.Errorf("the server has seen %+v", s)
			}
		})
	}
}

// A client that proves itself by a key gets tokens of its own, without a person.
func TestOIDCProviderGivesAClientTokensOfItsOwn(t *testing.T) {
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	c := client(r, "robot", "private_key_jwt")
	c.GrantTypes, c.RedirectURIs = []string{"client_credentials"}, []string{}
	server := startOIDC(t, oidctest.Config{AccessLife: 10 * time.Minute, Clients: []oidctest.Client{c}})
	add(t, r, boss, server.Issuer, c, map[string]any{"grants": "client_credentials"})
	live(t, r, "robot")
	if s := seen(t, server); s.Auth["private_key_jwt"] != 3 || s.Refused != 0 {
		t.Errorf("the server has seen %+v", s)
	}
}

// oidc-provider ends a grant whose spent refresh token comes back. Both connections that
// shared it need a person then, and are not tried again.
func TestASpentRefreshTokenAtOIDCProviderNeedsAPerson(t *testing.T) {
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	c := client(r, "shared", "client_secret_basic")
	server := startOIDC(t, oidctest.Config{AccessLife: 10 * time.Minute, Clients: []oidctest.Client{c}})
	add(t, r, boss, server.Issuer, c, nil)
	authorize(t, r, "shared")
	spent := refreshToken(t, r, "shared")
	renew(t, r, "shared")
	if s := seen(t, server); s.Renewed != 1 || s.Revoked != 0 {
		t.Fatalf("the server has seen %+v", s)
	}
	boss.Ask("POST", "/connections/import", url.Values{"service": {"shared"}, "title": {"Copy"}, "grant": {spent}})
	_, _ = r.Admin.Do(t, "POST", "/api/v1/connections/shared/renew", nil)
	for _, name := range []string{"copy", "shared"} {
		wantPerson(t, r, name)
	}
	if strings.Contains(r.Log.String(), spent) {
		t.Error("the refresh token is in the log")
	}
	refused := seen(t, server).Refused
	_, _ = r.Admin.Do(t, "POST", "/api/v1/connections/shared/renew", nil)
	if s := seen(t, server); s.Refused != refused || s.Revoked != 1 {
		t.Errorf("asked once more the server has seen %+v, %d refused before", s, refused)
	}
}

func TestAnExpiredRefreshTokenAtOIDCProviderNeedsAPerson(t *testing.T) {
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	c := client(r, "short", "client_secret_basic")
	server := startOIDC(t, oidctest.Config{AccessLife: 10 * time.Minute, RefreshLife: time.Second, Clients: []oidctest.Client{c}})
	add(t, r, boss, server.Issuer, c, nil)
	authorize(t, r, "short")
	hubtest.Until(t, time.Now().Add(2*time.Second))
	_, _ = r.Admin.Do(t, "POST", "/api/v1/connections/short/renew", nil)
	wantPerson(t, r, "short")
}

// refreshToken is the one that a connection has now.
func refreshToken(t *testing.T, r *hubtest.Running, connection string) string {
	t.Helper()
	var codes struct{ RefreshToken string }
	r.Admin.Must(t, "GET", "/api/v1/connections/"+connection+"/access-codes?refresh_token=true", nil, &codes)
	if codes.RefreshToken == "" {
		t.Fatalf("%s has no refresh token", connection)
	}
	return codes.RefreshToken
}

func wantPerson(t *testing.T, r *hubtest.Running, connection string) {
	t.Helper()
	wantPersonAfter(t, r, connection, "invalid_grant")
}

// wantPersonAfter wants a connection to need a person because of the service's answer.
func wantPersonAfter(t *testing.T, r *hubtest.Running, connection, code string) {
	t.Helper()
	v := r.View(t, connection)
	if v.Status != "needs_authorization" || v.LastError == nil || v.LastError.Kind != "reauthorization_required" || v.LastError.Code != code {
		t.Errorf("%s is %s after %+v", connection, v.Status, v.LastError)
	}
}
