package hub_test

import (
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/channel"
	"github.com/evergrant/evergrant/plugins/sandbox"
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
func moved(s *sandbox.Service, to *elsewhere) url.Values {
	form := maps.Clone(serviceForm(s))
	form.Set("client_secret", "")
	form.Set("options.token_endpoint", to.URL+"/token")
	return form
}

// movedBody is the same for the API.
func movedBody(s *sandbox.Service, to *elsewhere, more map[string]any) map[string]any {
	options := maps.Clone(s.Options)
	options["token_endpoint"] = to.URL + "/token"
	body := map[string]any{"name": s.Name, "title": s.Title, "client_id": s.ClientID, "scopes": s.Scopes, "options": options}
	maps.Copy(body, more)
	return body
}

func TestACheckSendsNoStoredSecretToAnotherHost(t *testing.T) {
	world := startWorld(t, time.Hour)
	r := startHub(t, nil)
	boss := r.owner(t)
	s := world.Service("oauth2")
	r.addService(t, s)
	thief := startElsewhere(t)
	admin := boss.invite(r, "admin", "administrator")
	for what, form := range map[string]url.Values{"the token endpoint": moved(s, thief), "the issuer": func() url.Values {
		form := maps.Clone(serviceForm(s))
		form.Set("client_secret", "")
		form.Set("options.issuer", thief.URL)
		return form
	}()} {
		status, page, _ := admin.ask("POST", "/services/"+s.Name+"/check", form)
		if status != http.StatusOK || !strings.Contains(page, "enter the secret again") || !strings.Contains(page, thief.URL) || !strings.Contains(page, s.Address) {
			t.Errorf("%s: the check answers %d and does not ask for the secret, or does not name both hosts: %s", what, status, checkOf(page))
		}
		if status, page, _ := admin.ask("POST", "/services/"+s.Name+"/edit", form); status != http.StatusUnprocessableEntity || !strings.Contains(page, "enter the secret again") {
			t.Errorf("%s: saving answers %d", what, status)
		}
	}
	thief.tookNothing(t, "a check without the secret")
	// Whoever knows the secret may have it checked there.
	form := moved(s, thief)
	form.Set("client_secret", "a-secret-of-another-registration")
	admin.ask("POST", "/services/"+s.Name+"/check", form)
	if thief.took(s.ClientSecret) || !thief.took("a-secret-of-another-registration") {
		t.Errorf("another secret is not checked at another host, or the stored one was sent")
	}
	if checks := boss.acts("service.check"); len(checks) < 3 {
		t.Errorf("the checks are in the audit record as %q", checks)
	}
}

// acts are the acts of one kind in the audit record, newest first, each with its details.
func (v *visitor) acts(act string) (found []string) {
	v.t.Helper()
	_, csv, _ := v.ask("GET", "/audit.csv", nil)
	for line := range strings.Lines(csv) {
		if strings.Contains(line, act) {
			found = append(found, strings.TrimSpace(line))
		}
	}
	return found
}

func TestAChangedAddressGetsNeitherSecretNorGrant(t *testing.T) {
	world := startWorld(t, time.Hour)
	r := startHub(t, nil)
	boss := r.owner(t)
	s := world.Service("oauth2")
	conn := r.addService(t, s)
	r.authorise(t, conn)
	thief := startElsewhere(t)
	path := "/api/v1/services/" + s.Name
	if status, body := r.admin.do(t, "PUT", path, movedBody(s, thief, nil)); status != http.StatusUnprocessableEntity || !strings.Contains(string(body), "client_secret") || !strings.Contains(string(body), "consent_hosts") {
		t.Errorf("a changed token endpoint without the secret answers %d %s", status, body)
	}
	// The secret alone is not enough while there are grants.
	withSecret := map[string]any{"client_secret": s.ClientSecret}
	if status, body := r.admin.do(t, "PUT", path, movedBody(s, thief, withSecret)); status != http.StatusUnprocessableEntity || !strings.Contains(string(body), "consent_hosts") {
		t.Errorf("a changed token endpoint without consent answers %d %s", status, body)
	}
	_, _ = r.admin.do(t, "POST", "/api/v1/connections/"+conn+"/renew", nil)
	thief.tookNothing(t, "a change without consent")
	// An administrator who is no owner cannot give it.
	admin := boss.invite(r, "admin", "administrator")
	form := moved(s, thief)
	form.Set("client_secret", s.ClientSecret)
	form["consent_hosts"] = []string{hostOf(thief.URL)}
	if status, page, _ := admin.ask("POST", "/services/"+s.Name+"/edit", form); status != http.StatusUnprocessableEntity || !strings.Contains(page, "an owner of the hub has to") {
		t.Errorf("an administrator's consent answers %d", status)
	}
	// An owner can, and is shown the hosts by name first.
	delete(form, "consent_hosts")
	status, page, _ := boss.ask("POST", "/services/"+s.Name+"/edit", form)
	if status != http.StatusUnprocessableEntity || !strings.Contains(page, `name="consent_hosts" value="`+hostOf(thief.URL)+`"`) {
		t.Errorf("an owner is asked with %d", status)
	}
	form["consent_hosts"] = []string{hostOf(thief.URL)}
	if status, page, _ := boss.ask("POST", "/services/"+s.Name+"/edit", form); status != http.StatusSeeOther {
		t.Fatalf("an owner's consent answers %d: %s", status, page)
	}
	if acts := boss.acts("service.hosts"); len(acts) != 1 || !strings.Contains(acts[0], hostOf(thief.URL)) || !strings.Contains(acts[0], hostOf(s.Address)) {
		t.Errorf("the audit record holds %q", acts)
	}
}

// hostOf is an address as the hub names its host.
func hostOf(address string) string { return strings.TrimRight(address, "/") }

func TestTheSecretOfAChannelGoesToNoOtherHost(t *testing.T) {
	services := startChannels(t)
	r := startHub(t, nil)
	boss := r.owner(t)
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
		id := boss.addChannel(services, kind)
		form := url.Values{"title": {string(kind)}}
		for _, f := range channel.Fields(kind) {
			if !f.Secret {
				form.Set("settings."+f.Name, services.Settings(kind)[f.Name])
			}
		}
		for name, value := range changes {
			form.Set("settings."+name, value)
		}
		status, page, _ := boss.ask("POST", "/escalation/channels/"+id, form)
		if status != http.StatusUnprocessableEntity || !strings.Contains(page, "enter the secret again") {
			t.Errorf("%s: a changed address without the secret answers %d", kind, status)
		}
		boss.follow("/escalation/channels/"+id+"/test", url.Values{"to": {services.Address(kind)}})
		for _, f := range channel.Fields(kind) {
			if f.Secret && services.Settings(kind)[f.Name] != "" {
				form.Set("settings."+f.Name, services.Settings(kind)[f.Name])
			}
		}
		if status, _, _ := boss.ask("POST", "/escalation/channels/"+id, form); status != http.StatusSeeOther {
			t.Errorf("%s: a changed address with the secret answers %d", kind, status)
		}
		if acts := boss.acts("channel.hosts"); !strings.Contains(strings.Join(acts, "\n"), string(kind)) {
			t.Errorf("%s: the audit record holds %q", kind, acts)
		}
	}
	thief.tookNothing(t, "channels")
	if tests := boss.acts("channel.test"); len(tests) != 3 {
		t.Errorf("the tests are in the audit record as %q", tests)
	}
}
