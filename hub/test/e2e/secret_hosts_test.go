package e2e_test

import (
	"cmp"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/channel"
	"github.com/evergrant/evergrant/hub/test/hubtest"
	"github.com/evergrant/evergrant/plugins/demo"
)

// elsewhere is a server to which nothing secret may be sent. It keeps what it hears.
type elsewhere struct {
	URL, Host string

	mu    sync.Mutex
	heard strings.Builder
}

func startElsewhere(t testing.TB) *elsewhere {
	t.Helper()
	e := &elsewhere{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		user, password, _ := r.BasicAuth()
		e.mu.Lock()
		defer e.mu.Unlock()
		e.heard.WriteString(r.Method + " " + r.URL.String() + " " + user + ":" + password + " " + string(body) + "\n")
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":"invalid_grant"}`))
	}))
	t.Cleanup(server.Close)
	e.URL, e.Host = server.URL, server.URL
	return e
}

// tookNothing wants that nothing was sent there at all.
func (e *elsewhere) tookNothing(t testing.TB, what string) {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.heard.Len() > 0 {
		t.Errorf("%s: another host was sent %s", what, e.heard.String())
	}
}

func (e *elsewhere) took(text string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return strings.Contains(e.heard.String(), text)
}

// moved is the form of a service with its token endpoint elsewhere and no secret entered.
func moved(s *demo.Service, to *elsewhere) url.Values {
	form := maps.Clone(hubtest.ServiceForm(s))
	form.Set("client_secret", "")
	form.Set("options.token_endpoint", to.URL+"/token")
	return form
}

// movedBody is the same for the API.
func movedBody(s *demo.Service, to *elsewhere, more map[string]any) map[string]any {
	options := maps.Clone(s.Options)
	options["token_endpoint"] = to.URL + "/token"
	body := map[string]any{"name": s.Name, "title": s.Title, "client_id": s.ClientID, "scopes": s.Scopes, "options": options}
	maps.Copy(body, more)
	return body
}

func TestACheckSendsNoStoredSecretToAnotherHost(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	s := world.Service("oauth2")
	r.AddService(t, s)
	thief := startElsewhere(t)
	admin := boss.Invite(r, "admin", "administrator")
	for what, form := range map[string]url.Values{"the token endpoint": moved(s, thief), "the issuer": func() url.Values {
		form := maps.Clone(hubtest.ServiceForm(s))
		form.Set("client_secret", "")
		form.Set("options.issuer", thief.URL)
		return form
	}()} {
		status, page, _ := admin.Ask("POST", "/services/"+s.Name+"/check", form)
		if status != http.StatusOK || !strings.Contains(page, "enter the secret again") || !strings.Contains(page, thief.URL) || !strings.Contains(page, s.Address) {
			t.Errorf("%s: the check answers %d and does not ask for the secret, or does not name both hosts: %s", what, status, hubtest.CheckOf(page))
		}
		if status, page, _ := admin.Ask("POST", "/services/"+s.Name+"/edit", form); status != http.StatusUnprocessableEntity || !strings.Contains(page, "enter the secret again") {
			t.Errorf("%s: saving answers %d", what, status)
		}
	}
	thief.tookNothing(t, "a check without the secret")
	// Whoever knows the secret may have it checked there.
	form := moved(s, thief)
	form.Set("client_secret", "a-secret-of-another-registration")
	admin.Ask("POST", "/services/"+s.Name+"/check", form)
	if thief.took(s.ClientSecret) || !thief.took("a-secret-of-another-registration") {
		t.Errorf("another secret is not checked at another host, or the stored one was sent")
	}
	if checks := boss.Acts("service.check"); len(checks) < 3 {
		t.Errorf("the checks are in the audit record as %q", checks)
	}
}

func TestAChangedAddressGetsNeitherSecretNorGrant(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	s := world.Service("oauth2")
	conn := r.AddService(t, s)
	r.Authorize(t, conn)
	thief := startElsewhere(t)
	path := "/api/v1/services/" + s.Name
	if status, body := r.Admin.Do(t, "PUT", path, movedBody(s, thief, nil)); status != http.StatusUnprocessableEntity || !strings.Contains(string(body), "client_secret") || !strings.Contains(string(body), "consent_hosts") {
		t.Errorf("a changed token endpoint without the secret answers %d %s", status, body)
	}
	// The secret alone is not enough while there are grants.
	withSecret := map[string]any{"client_secret": s.ClientSecret}
	if status, body := r.Admin.Do(t, "PUT", path, movedBody(s, thief, withSecret)); status != http.StatusUnprocessableEntity || !strings.Contains(string(body), "consent_hosts") {
		t.Errorf("a changed token endpoint without consent answers %d %s", status, body)
	}
	_, _ = r.Admin.Do(t, "POST", "/api/v1/connections/"+conn+"/renew", nil)
	thief.tookNothing(t, "a change without consent")
	// An administrator who is no owner cannot give it.
	admin := boss.Invite(r, "admin", "administrator")
	form := moved(s, thief)
	form.Set("client_secret", s.ClientSecret)
	form["consent_hosts"] = []string{hostOf(thief.URL)}
	if status, page, _ := admin.Ask("POST", "/services/"+s.Name+"/edit", form); status != http.StatusUnprocessableEntity || !strings.Contains(page, "an owner of the hub has to") {
		t.Errorf("an administrator's consent answers %d", status)
	}
	// An owner can, and is shown the hosts by name first.
	delete(form, "consent_hosts")
	status, page, _ := boss.Ask("POST", "/services/"+s.Name+"/edit", form)
	if status != http.StatusUnprocessableEntity || !strings.Contains(page, `name="consent_hosts" value="`+hostOf(thief.URL)+`"`) {
		t.Errorf("an owner is asked with %d", status)
	}
	form["consent_hosts"] = []string{hostOf(thief.URL)}
	if status, page, _ := boss.Ask("POST", "/services/"+s.Name+"/edit", form); status != http.StatusSeeOther {
		t.Fatalf("an owner's consent answers %d: %s", status, page)
	}
	if acts := boss.Acts("service.hosts"); len(acts) != 1 || !strings.Contains(acts[0], hostOf(thief.URL)) || !strings.Contains(acts[0], hostOf(s.Address)) {
		t.Errorf("the audit record holds %q", acts)
	}
}

// hostOf is an address as the hub names its host.
func hostOf(address string) string { return strings.TrimRight(address, "/") }

func TestTheSecretOfAChannelGoesToNoOtherHost(t *testing.T) {
	t.Parallel()
	services := hubtest.StartChannels(t)
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	thief := startElsewhere(t)
	mail, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = mail.Close() })
	_, port, _ := net.SplitHostPort(mail.Addr().String())
	for kind, changes := range map[channel.Kind]map[string]string{
		channel.Telegram: {"base_url": thief.URL}, channel.Twilio: {"base_url": thief.URL}, channel.SMTP: {"port": port},
	} {
		id := boss.AddChannel(services, kind)
		form := url.Values{"title": {string(kind)}}
		for _, f := range channel.Fields(kind) {
			if !f.Secret {
				form.Set("settings."+f.Name, services.Settings(kind)[f.Name])
			}
		}
		for name, value := range changes {
			form.Set("settings."+name, value)
		}
		status, page, _ := boss.Ask("POST", "/escalation/channels/"+id, form)
		if status != http.StatusUnprocessableEntity || !strings.Contains(page, "enter the secret again") {
			t.Errorf("%s: a changed address without the secret answers %d", kind, status)
		}
		boss.Follow("/escalation/channels/"+id+"/test", url.Values{"to": {services.Address(kind)}})
		for _, f := range channel.Fields(kind) {
			if f.Secret && services.Settings(kind)[f.Name] != "" {
				form.Set("settings."+f.Name, services.Settings(kind)[f.Name])
			}
		}
		if status, _, _ := boss.Ask("POST", "/escalation/channels/"+id, form); status != http.StatusSeeOther {
			t.Errorf("%s: a changed address with the secret answers %d", kind, status)
		}
		if acts := boss.Acts("channel.hosts"); !strings.Contains(strings.Join(acts, "\n"), string(kind)) {
			t.Errorf("%s: the audit record holds %q", kind, acts)
		}
	}
	thief.tookNothing(t, "channels")
	if tests := boss.Acts("channel.test"); len(tests) != 6 { // each when it begins, and how it went
		t.Errorf("the tests are in the audit record as %q", tests)
	}
}

// An issuer whose metadata move the token endpoint, as a new version of a plugin may: the
// service waits for an owner, who agrees once for all that are concerned.
func TestAMovedAddressWaitsForAnOwner(t *testing.T) {
	t.Parallel()
	services := hubtest.StartChannels(t)
	thief := startElsewhere(t)
	var mu sync.Mutex
	token := ""
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		address := "http://" + r.Host
		w.Header().Set("Content-Type", "application/json")
		if r.Method == http.MethodPost {
			_, _ = w.Write([]byte(`{"access_token":"a-1","refresh_token":"r-1","token_type":"Bearer","expires_in":3600}`))
			return
		}
		_, _ = w.Write([]byte(`{"issuer":"` + address + `","authorization_endpoint":"` + address + `/a","token_endpoint":"` + cmp.Or(token, address) + `/t"}`))
	}))
	t.Cleanup(issuer.Close)
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	boss.AddContact("Owner", map[string]string{boss.AddChannel(services, channel.Telegram): services.Address(channel.Telegram)}, "user", accountID(boss))
	for _, name := range []string{"first", "second"} {
		r.Admin.Must(t, "POST", "/api/v1/services", map[string]any{
			"name": name, "title": name, "provider": "oauth2", "client_id": "c", "client_secret": "the-secret-of-" + name, "options": map[string]any{"issuer": issuer.URL},
		}, nil)
		status, page, _ := boss.Ask("POST", "/connections/import", url.Values{"service": {name}, "title": {"grant-" + name}, "grant": {`{"access_token":"a-1","refresh_token":"r-1","expires_in":3600}`}})
		if status != http.StatusSeeOther {
			t.Fatalf("the import answers %d: %s", status, page)
		}
	}
	mu.Lock()
	token = thief.URL
	mu.Unlock()
	r.Execute(t, "UPDATE services SET plugin_sum = 'of an earlier version'")
	stop(t, r)
	r = hubtest.StartHubIn(t, r.Dir, nil)
	boss.Base = r.Hub.URL()

	held := func() (waiting []string) {
		var list struct {
			Items []struct {
				Name      string   `json:"name"`
				HeldHosts []string `json:"held_hosts"`
			} `json:"items"`
		}
		r.Admin.Must(t, "GET", "/api/v1/services", nil, &list)
		for _, s := range list.Items {
			for _, host := range s.HeldHosts {
				waiting = append(waiting, s.Name+" "+host)
			}
		}
		return waiting
	}
	if got := held(); len(got) != 2 || got[0] != "first "+thief.URL {
		t.Fatalf("waiting: %q", got)
	}
	if got := r.Key(t, "grant-first").Pull(t, "grant-first"); got.AccessToken != "a-1" {
		t.Errorf("a valid token is not served while the service waits: %+v", got)
	}
	if status, body := r.Admin.Do(t, "POST", "/api/v1/connections/grant-first/renew", nil); !strings.Contains(string(body), "hosts_held") {
		t.Errorf("a renewal of a service that waits answers %d %s", status, body)
	}
	hubtest.Eventually(t, "the owner is told of both services", func() bool {
		n := 0
		for _, m := range services.Messages() {
			if strings.Contains(m.Text, "→ "+thief.URL) {
				n++
			}
		}
		return n == 2
	})
	admin := boss.Invite(r, "admin", "administrator")
	consent := url.Values{"consent_hosts": {thief.URL}}
	if status, _, _ := admin.Ask("POST", "/services/consent-hosts", consent); status != http.StatusForbidden {
		t.Errorf("an administrator's consent answers %d", status)
	}
	if _, page, _ := admin.Ask("GET", "/services", nil); !strings.Contains(page, "2 services wait for consent") || strings.Contains(page, `name="consent_hosts"`) {
		t.Errorf("an administrator is not told to ask an owner: %s", regexp.MustCompile(`(?s)<section id="held-hosts".*?</section>`).FindString(page))
	}
	thief.tookNothing(t, "services that wait")
	if page := boss.Follow("/services/consent-hosts", url.Values{"consent_hosts": {"other.example"}}); len(held()) != 2 || !strings.Contains(page, "tick every new host") {
		t.Errorf("another host than the one that waits is enough: %q", held())
	}
	boss.Follow("/services/consent-hosts", consent)
	if got := held(); len(got) != 0 {
		t.Errorf("after the consent %q wait", got)
	}
	if acts := boss.Acts("service.hosts_"); len(acts) != 4 {
		t.Errorf("the audit record holds %q", acts)
	}
	_, _ = r.Admin.Do(t, "POST", "/api/v1/connections/grant-first/renew", nil)
	hubtest.Eventually(t, "the renewal goes to the new host", func() bool { return thief.took("r-1") })
}
