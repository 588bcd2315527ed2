package hub_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// A passkey leads in alone; whatever is not a fresh answer of that very key to this
// very hub does not.
func TestPasskeyAnswersThatProveNothingAreRefused(t *testing.T) {
	t.Parallel()
	r := startHub(t, nil)
	boss := r.owner(t)
	d := newDevice(t, r)
	elsewhere := *d
	elsewhere.origin = "https://evil.example"
	if _, status, said := elsewhere.register(boss, "x"); status != http.StatusUnprocessableEntity || !strings.Contains(said, "not accepted") {
		t.Errorf("a passkey made on another page: %d %s", status, said)
	}
	sent, status, said := d.register(boss, "  Key   "+scriptText)
	if status != http.StatusOK {
		t.Fatalf("the passkey was not added: %d %s", status, said)
	}
	if status, said = boss.send("/settings/passkeys/finish", sent, nil); status != http.StatusUnprocessableEntity || !strings.Contains(said, "used before") {
		t.Errorf("the same answer added a passkey again: %d %s", status, said)
	}
	if _, status, said = d.register(boss, "again"); status != http.StatusUnprocessableEntity || !strings.Contains(said, "keeps a passkey of yours already") {
		t.Errorf("the same passkey was added twice: %d %s", status, said)
	}
	if _, page, _ := boss.ask("GET", "/settings", nil); strings.Contains(page, scriptText) || !strings.Contains(page, "Key &#34;&#39;") {
		t.Error("the settings do not show the name as text")
	}
	logsIn := func(what string) {
		t.Helper()
		v := newVisitor(t, r)
		sent, status, said := d.logIn(v)
		if status != http.StatusOK || said != `{"to":"/connections"}` {
			t.Fatalf("%s: %d %s", what, status, said)
		}
		if status, _, _ := v.ask("GET", "/connections", nil); status != http.StatusOK {
			t.Fatalf("%s: the page answers %d", what, status)
		}
		if status, said := v.send("/login/passkey/finish", sent, nil); status != http.StatusUnprocessableEntity || !strings.Contains(said, "used before") {
			t.Errorf("the answer is good again: %d %s", status, said)
		}
		if status, _ := newVisitor(t, r).send("/login/passkey/finish", sent, nil); status != http.StatusUnprocessableEntity {
			t.Errorf("the answer is good in another browser: %d", status)
		}
	}
	logsIn("first")
	other := newDevice(t, r)
	for what, change := range map[string]func(*device){
		"another page":        func(d *device) { d.origin = "https://evil.example" },
		"another port":        func(d *device) { d.origin = "http://localhost:1" },
		"another hub":         func(d *device) { d.party = "evil.example" },
		"nobody was verified": func(d *device) { d.unverified = true },
		"another key":         func(d *device) { d.key = other.key },
		"another person":      func(d *device) { d.user = "somebody else" },
		"nobody":              func(d *device) { d.user = "" },
	} {
		lying := *d
		change(&lying)
		v := newVisitor(t, r)
		if _, status, said := lying.logIn(v); status != http.StatusUnprocessableEntity || !strings.Contains(said, "was not accepted") {
			t.Errorf("%s: %d %s", what, status, said)
		}
		if status, _, _ := v.ask("GET", "/connections", nil); status == http.StatusOK {
			t.Errorf("%s: leads in", what)
		}
		logsIn("after " + what)
	}
	d.count -= 2
	if _, status, said := d.logIn(newVisitor(t, r)); status != http.StatusUnprocessableEntity || !strings.Contains(said, "may have been copied") {
		t.Errorf("a count that goes back: %d %s", status, said)
	}
	if !contains(r.log, "count has gone back") {
		t.Error("the log does not say that a passkey may have been copied")
	}
	d.count += 10
	logsIn("a count that goes on")
}

func TestPasskeyOfSomebodyWhoMayNotEnter(t *testing.T) {
	t.Parallel()
	r := startHub(t, nil)
	boss := r.owner(t)
	guest := boss.invite(r, "guest", "operator")
	d, kept := newDevice(t, r), newDevice(t, r)
	for _, x := range []*device{d, kept} {
		if _, status, said := x.register(guest, "Key"); status != http.StatusOK {
			t.Fatal(status, said)
		}
	}
	_, page, _ := boss.ask("GET", "/people", nil)
	if !strings.Contains(page, "2 passkeys") {
		t.Error("the page of people does not count passkeys")
	}
	id := d.user
	boss.ask("POST", "/people/"+id+"/disable", url.Values{})
	if _, status, said := d.logIn(newVisitor(t, r)); status != http.StatusUnprocessableEntity {
		t.Errorf("somebody disabled: %d %s", status, said)
	}
	boss.ask("POST", "/people/"+id+"/enable", url.Values{})
	again := newVisitor(t, r)
	if _, status, said := d.logIn(again); status != http.StatusOK {
		t.Fatalf("somebody enabled: %d %s", status, said)
	}
	_, page, _ = again.ask("GET", "/settings", nil)
	found := regexp.MustCompile(`/settings/passkeys/[0-9a-f-]+/remove`).FindAllString(page, -1)
	if len(found) != 2 {
		t.Fatalf("%d passkeys in the settings", len(found))
	}
	if status, _, _ := boss.ask("POST", found[0], url.Values{}); status != http.StatusNotFound {
		t.Errorf("removing another person's passkey answers %d", status)
	}
	again.ask("POST", found[0], url.Values{})
	if _, status, said := d.logIn(newVisitor(t, r)); status != http.StatusUnprocessableEntity || !strings.Contains(said, "does not know that passkey") {
		t.Errorf("a removed passkey: %d %s", status, said)
	}
	boss.ask("POST", "/people/"+id+"/forget-second-factor", url.Values{})
	if _, status, said := kept.logIn(newVisitor(t, r)); status != http.StatusUnprocessableEntity {
		t.Errorf("a passkey that an administrator has dropped: %d %s", status, said)
	}
	slowed := false
	for range 12 {
		status, said := boss.send("/login/passkey/begin", struct{}{}, nil)
		slowed = slowed || status == http.StatusTooManyRequests && strings.Contains(said, "Try again")
		boss.send("/login/passkey/finish", map[string]any{"answer": "nonsense"}, nil)
	}
	if !slowed {
		t.Error("guesses are not slowed down")
	}
	_, page, _ = boss.ask("GET", "/audit", nil)
	for _, act := range []string{"person.passkey_add", "person.passkey_remove", "by: passkey"} {
		if !strings.Contains(page, act) {
			t.Errorf("the audit record has no %s", act)
		}
	}
}

// Where browsers keep no passkeys, the pages say why and offer none.
func TestPasskeysAreNotOfferedWhereTheyCannotWork(t *testing.T) {
	t.Parallel()
	for address, why := range map[string]string{
		"http://hub.example.com": "Passkeys need https", "http://192.0.2.7:8080": "Passkeys need https", "https://192.0.2.7": "belongs to a host name",
	} {
		r := startHub(t, map[string]any{"public_url": address})
		link, err := r.hub.SetupLink(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		v := newVisitor(t, r)
		v.base = "http://" + r.hub.Addr().String()
		if strings.HasPrefix(address, "http:") { // else the cookie would not come back
			_, token, _ := strings.Cut(link, "link=")
			v.ask("POST", "/setup", url.Values{"link": {token}, "login": {"owner"}, "password": {testPassword}, "repeat": {testPassword}})
			if _, page, _ := v.ask("GET", "/settings", nil); !strings.Contains(page, why) || strings.Contains(page, "data-passkey=") {
				t.Errorf("%s: the settings do not say %q", address, why)
			}
		}
		if _, page, _ := v.ask("GET", "/login", nil); strings.Contains(page, "data-passkey=") {
			t.Errorf("%s: the login page offers passkeys", address)
		}
		if status, _ := v.send("/login/passkey/begin", struct{}{}, nil); status != http.StatusConflict {
			t.Errorf("%s: a login begins: %d", address, status)
		}
	}
}
