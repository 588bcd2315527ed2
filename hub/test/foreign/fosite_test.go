package foreign

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// startFosite starts Fosite's server for a client and returns its address, and the options
// of its service: it publishes no metadata.
func startFosite(t *testing.T, c oauthClient, grace time.Duration) (address string, options map[string]any) {
	t.Helper()
	address = program(t, "fosite", c.id, c.secret, c.callback, grace.String())
	return address, fositeOptions(address)
}

func fositeOptions(address string) map[string]any {
	return map[string]any{
		"authorization_endpoint": address + "/authorize", "token_endpoint": address + "/token", "userinfo_endpoint": address + "/userinfo",
		"client_auth": "client_secret_basic", "rotation": "rotates_with_grace", "rotation_grace": "1h",
	}
}

// oauthClient is a client of a server that is no OpenID provider.
type oauthClient struct{ id, secret, callback string }

// addOAuth adds a service and a connection of its name.
func addOAuth(t *testing.T, r *hubtest.Running, name string, c oauthClient, options map[string]any) {
	t.Helper()
	r.Admin.Must(t, "POST", "/api/v1/services", map[string]any{
		"name": name, "title": name, "provider": "oauth2", "client_id": c.id, "client_secret": c.secret, "scopes": []string{"email", "offline_access"}, "options": options,
	}, nil)
	r.Admin.Must(t, "POST", "/api/v1/connections", map[string]any{"service": name, "name": name, "title": name}, nil)
}

// Fosite decodes what HTTP Basic carries (RFC 6749 section 2.3.1), so a client ID and a
// secret of any characters pass only if the hub has encoded them.
func TestFositeTakesSecretsOfAnyCharacters(t *testing.T) {
	r := hubtest.StartHub(t, nil)
	for name, c := range map[string]oauthClient{
		"plain":   {id: "plain", secret: secret},
		"colon":   {id: "crm:hub", secret: "one:two::three"},
		"plus":    {id: "crm+hub", secret: "one+two three"},
		"signs":   {id: "crm%2Bhub", secret: "100%25 of /a?b=c&d#e%"},
		"letters": {id: "хаб", secret: "ключ «ё» — 100%"},
	} {
		t.Run(name, func(t *testing.T) {
			c.callback = r.Hub.URL() + "/callback/" + name
			_, options := startFosite(t, c, time.Hour)
			addOAuth(t, r, name, c, options)
			finish(t, r, name, "anna", func(address string) (*url.URL, error) { return straight(t.Context(), address, c.callback) })
			live(t, r, name)
			if strings.Contains(r.Log.String(), c.secret) {
				t.Error("the secret is in the log")
			}
		})
	}
}

// A refresh token that came back within the time of grace gets tokens, and the grant lives
// on; after it Fosite ends the whole grant, and each connection of it needs a person.
func TestASpentRefreshTokenAtFositeIsGoodForItsTimeOfGrace(t *testing.T) {
	const grace = 10 * time.Second // enough for a renewal on a busy machine
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	c := oauthClient{id: "family", secret: secret, callback: r.Hub.URL() + "/callback/family"}
	_, options := startFosite(t, c, grace)
	addOAuth(t, r, "family", c, options)
	finish(t, r, "family", "anna", func(address string) (*url.URL, error) { return straight(t.Context(), address, c.callback) })
	spent := refreshToken(t, r, "family")
	copied := func(title string) {
		boss.Ask("POST", "/connections/import", url.Values{"service": {"family"}, "title": {title}, "grant": {spent}})
	}
	renew(t, r, "family")
	end := time.Now().Add(grace)
	copied("Early")
	if v := r.View(t, "early"); v.Generation == 0 || v.LastError != nil {
		t.Fatalf("within the time of grace the connection is %+v", v)
	}
	live(t, r, "family")
	hubtest.Until(t, end.Add(100*time.Millisecond))
	// The hub imports no token twice, so it is somebody else who sends it after that.
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, fmt.Sprint(options["token_endpoint"]), strings.NewReader(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {spent}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(url.QueryEscape(c.id), url.QueryEscape(c.secret))
	if status, page := hubtest.Send(t, req); status != http.StatusBadRequest {
		t.Fatalf("a spent refresh token is answered with %d: %s", status, page)
	}
	for _, name := range []string{"early", "family"} {
		_, _ = r.Admin.Do(t, "POST", "/api/v1/connections/"+name+"/renew", nil)
		wantPerson(t, r, name)
	}
	if strings.Contains(r.Log.String(), spent) {
		t.Error("the refresh token is in the log")
	}
}

// A reply that was lost on its way is asked for again with the same refresh token while the
// time of grace lasts, and the grant lives on without a person.
func TestALostReplyOfFositeIsAskedForAgainWithinTheTimeOfGrace(t *testing.T) {
	r := hubtest.StartHub(t, nil)
	c := oauthClient{id: "lossy", secret: secret, callback: r.Hub.URL() + "/callback/lossy"}
	address, _ := startFosite(t, c, time.Hour)
	way := newLossyWay(t, address)
	addOAuth(t, r, "lossy", c, fositeOptions(way.URL))
	finish(t, r, "lossy", "anna", func(address string) (*url.URL, error) { return straight(t.Context(), address, c.callback) })
	way.loseNext()
	_, _ = r.Admin.Do(t, "POST", "/api/v1/connections/lossy/renew", nil)
	process := r.Key(t, "lossy")
	hubtest.Eventually(t, "the lost renewal to be repeated", func() bool {
		_, _ = r.Admin.Do(t, "POST", "/api/v1/connections/lossy/renew", nil)
		return r.View(t, "lossy").Generation > 1
	})
	if v, p := r.View(t, "lossy"), process.Pull(t, "lossy"); v.Status != "fresh" || v.LastError != nil || p.Trouble != nil {
		t.Errorf("the connection is %+v", v)
	}
	if sent := way.refreshed(); len(sent) < 2 || sent[0] != sent[1] {
		t.Errorf("%d renewals were sent, the second with another refresh token", len(sent))
	}
	live(t, r, "lossy")
}
