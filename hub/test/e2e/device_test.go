package e2e_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/waittest"
	"github.com/evergrant/evergrant/hub/test/hubtest"
	"github.com/evergrant/evergrant/sdk/providertest/authserver"
)

// onDevice is what tests read of a device authorization.
type onDevice struct {
	State                   string    `json:"state"`
	UserCode                string    `json:"user_code"`
	VerificationURI         string    `json:"verification_uri"`
	VerificationURIComplete string    `json:"verification_uri_complete"`
	ExpiresAt               time.Time `json:"expires_at"`
	Reason                  string    `json:"reason"`
}

// A connection is authorized by a code that a person enters elsewhere: the hub asks the
// service by itself, also after a restart, and processes get the token. A refusal is told
// and leaves the grant. The holder of a link gets a code without an account here.
func TestAConnectionIsAuthorizedByACodeOnAnotherDevice(t *testing.T) {
	r := hubtest.StartHub(t, nil)
	server := authserver.New(authserver.Config{ClientID: "tv", ClientSecret: "secret-of-tv", DeviceInterval: time.Second})
	address, err := server.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	service(t, r, "tv", "oauth2", map[string]any{
		"client_id": "tv", "client_secret": "secret-of-tv", "scopes": []string{"openid"}, "options": map[string]any{"issuer": address, "grants": "device_code"},
	})
	var c added
	r.Admin.Must(t, "POST", "/api/v1/connections", map[string]any{"service": "tv", "name": "hall", "title": "Hall"}, &c)
	if c.Grant != "device_code" || c.Generation != 0 {
		t.Fatalf("added as %+v", c)
	}
	const at = "/api/v1/connections/hall/device-authorization"
	var d onDevice
	r.Admin.Must(t, "POST", at, nil, &d)
	if d.State != "pending" || d.UserCode == "" || d.VerificationURI != address+"/device" || !strings.Contains(d.VerificationURIComplete, d.UserCode) || d.ExpiresAt.IsZero() {
		t.Fatalf("begun as %+v", d)
	}
	r.Hub.Stop(t.Context())
	r = r.Again(t)
	server.DecideDevice(d.UserCode, "anna@example.test")
	ended := func() onDevice {
		var d onDevice
		waittest.Until(t, "the device authorization to end", func() bool {
			d = onDevice{}
			r.Admin.Must(t, "GET", at, nil, &d)
			return d.State != "pending"
		})
		return d
	}
	if d = ended(); d.State != "authorized" || d.UserCode != "" {
		t.Fatalf("after the person agreed: %+v", d)
	}
	r.Admin.Must(t, "GET", "/api/v1/connections/hall", nil, &c)
	if c.Status != "fresh" || c.Generation != 1 {
		t.Errorf("the connection is %+v", c)
	}
	var rehearsal struct {
		Verdict string `json:"verdict"`
	}
	if r.Admin.Must(t, "POST", "/api/v1/connections/hall/rehearse", nil, &rehearsal); rehearsal.Verdict != "renewal_works" {
		t.Errorf("the rehearsal says %q", rehearsal.Verdict)
	}
	r.Admin.Must(t, "POST", at, nil, &d)
	server.DecideDevice(d.UserCode, "")
	if d = ended(); d.State != "denied" || d.Reason != "denied" {
		t.Errorf("after the person refused: %+v", d)
	}
	if r.Admin.Must(t, "GET", "/api/v1/connections/hall", nil, &c); c.Generation != 1 || c.Status != "fresh" {
		t.Errorf("a refusal changed the connection: %+v", c)
	}
	token := hubtest.GrantLinkRE.FindStringSubmatch(r.Owner(t).Follow("/connections/hall/link", url.Values{}))
	if token == nil {
		t.Fatal("no link was made")
	}
	visitor, link := hubtest.NewVisitor(t, r), "/grant/"+token[1]
	if status, _, to := visitor.Ask("POST", link, url.Values{}); status != http.StatusSeeOther || to != link+"/device" {
		t.Fatalf("following the link answered %d and leads to %s", status, to)
	}
	r.Admin.Must(t, "GET", at, nil, &d)
	if _, page, _ := visitor.Ask("GET", link+"/device", nil); !strings.Contains(page, d.UserCode) {
		t.Error("the holder of the link sees no code")
	}
	stranger := hubtest.NewVisitor(t, r)
	if status, page, _ := stranger.Ask("GET", link+"/device", nil); status != http.StatusGone || strings.Contains(page, d.UserCode) {
		t.Errorf("another browser is answered %d", status)
	}
	server.DecideDevice(d.UserCode, "anna@example.test")
	ended()
	if _, page, _ := visitor.Ask("GET", link+"/device", nil); !strings.Contains(page, "is-good") {
		t.Error("the holder of the link is not told that it is done")
	}
}
