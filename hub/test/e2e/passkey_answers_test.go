package e2e_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// A passkey leads in alone; whatever is not a fresh answer of that very key to this
// very hub does not.
func TestPasskeyAnswersThatProveNothingAreRefused(t *testing.T) {
	t.Parallel()
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	d := hubtest.NewDevice(t, r)
	elsewhere := *d
	elsewhere.Origin = "https://evil.example"
	if _, status, said := elsewhere.Register(boss, "x"); status != http.StatusUnprocessableEntity || !strings.Contains(said, "not accepted") {
		t.Errorf("a passkey made on another page: %d %s", status, said)
	}
	sent, status, said := d.Register(boss, "  Key   "+scriptText)
	if status != http.StatusOK {
		t.Fatalf("the passkey was not added: %d %s", status, said)
	}
	if status, said = boss.Send("/settings/passkeys/finish", sent, nil); status != http.StatusUnprocessableEntity || !strings.Contains(said, "used before") {
		t.Errorf("the same answer added a passkey again: %d %s", status, said)
	}
	if _, status, said = d.Register(boss, "again"); status != http.StatusUnprocessableEntity || !strings.Contains(said, "keeps a passkey of yours already") {
		t.Errorf("the same passkey was added twice: %d %s", status, said)
	}
	if _, page, _ := boss.Ask("GET", "/settings", nil); strings.Contains(page, scriptText) || !strings.Contains(page, "Key &#34;&#39;") {
		t.Error("the settings do not show the name as text")
	}
	logsIn := func(what string) {
		t.Helper()
		v := hubtest.NewVisitor(t, r)
		sent, status, said := d.LogIn(v)
		if status != http.StatusOK || said != `{"to":"/connections"}` {
			t.Fatalf("%s: %d %s", what, status, said)
		}
		if status, _, _ := v.Ask("GET", "/connections", nil); status != http.StatusOK {
			t.Fatalf("%s: the page answers %d", what, status)
		}
		if status, said := v.Send("/login/passkey/finish", sent, nil); status != http.StatusUnprocessableEntity || !strings.Contains(said, "used before") {
			t.Errorf("the answer is good again: %d %s", status, said)
		}
		if status, _ := hubtest.NewVisitor(t, r).Send("/login/passkey/finish", sent, nil); status != http.StatusUnprocessableEntity {
			t.Errorf("the answer is good in another browser: %d", status)
		}
	}
	logsIn("first")
	other := hubtest.NewDevice(t, r)
	for what, change := range map[string]func(*hubtest.Device){
		"another page":        func(d *hubtest.Device) { d.Origin = "https://evil.example" },
		"another port":        func(d *hubtest.Device) { d.Origin = "http://localhost:1" },
		"another hub":         func(d *hubtest.Device) { d.Party = "evil.example" },
		"nobody was verified": func(d *hubtest.Device) { d.Unverified = true },
		"another key":         func(d *hubtest.Device) { d.Key = other.Key },
		"another person":      func(d *hubtest.Device) { d.User = "somebody else" },
		"nobody":              func(d *hubtest.Device) { d.User = "" },
	} {
		lying := *d
		change(&lying)
		v := hubtest.NewVisitor(t, r)
		if _, status, said := lying.LogIn(v); status != http.StatusUnprocessableEntity || !strings.Contains(said, "was not accepted") {
			t.Errorf("%s: %d %s", what, status, said)
		}
		if status, _, _ := v.Ask("GET", "/connections", nil); status == http.StatusOK {
			t.Errorf("%s: leads in", what)
		}
		logsIn("after " + what)
	}
	d.Count -= 2
	if _, status, said := d.LogIn(hubtest.NewVisitor(t, r)); status != http.StatusUnprocessableEntity || !strings.Contains(said, "may have been copied") {
		t.Errorf("a count that goes back: %d %s", status, said)
	}
	if !hubtest.Contains(r.Log, "count has gone back") {
		t.Error("the log does not say that a passkey may have been copied")
	}
	d.Count += 10
	logsIn("a count that goes on")
}

func TestPasskeyOfSomebodyWhoMayNotEnter(t *testing.T) {
	t.Parallel()
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	guest := boss.Invite(r, "guest", "operator")
	d, kept := hubtest.NewDevice(t, r), hubtest.NewDevice(t, r)
	for _, x := range []*hubtest.Device{d, kept} {
		if _, status, said := x.Register(guest, "Key"); status != http.StatusOK {
			t.Fatal(status, said)
		}
	}
	_, page, _ := boss.Ask("GET", "/people", nil)
	if !strings.Contains(page, "2 passkeys") {
		t.Error("the page of people does not count passkeys")
	}
	id := d.User
	boss.Ask("POST", "/people/"+id+"/disable", url.Values{})
	if _, status, said := d.LogIn(hubtest.NewVisitor(t, r)); status != http.StatusUnprocessableEntity {
		t.Errorf("somebody disabled: %d %s", status, said)
	}
	boss.Ask("POST", "/people/"+id+"/enable", url.Values{})
	again := hubtest.NewVisitor(t, r)
	if _, status, said := d.LogIn(again); status != http.StatusOK {
		t.Fatalf("somebody enabled: %d %s", status, said)
	}
	_, page, _ = again.Ask("GET", "/settings", nil)
	found := regexp.MustCompile(`/settings/passkeys/[0-9a-f-]+/remove`).FindAllString(page, -1)
	if len(found) != 2 {
		t.Fatalf("%d passkeys in the settings", len(found))
	}
	if status, _, _ := boss.Ask("POST", found[0], url.Values{}); status != http.StatusNotFound {
		t.Errorf("removing another person's passkey answers %d", status)
	}
	again.Ask("POST", found[0], url.Values{})
	if _, status, said := d.LogIn(hubtest.NewVisitor(t, r)); status != http.StatusUnprocessableEntity || !strings.Contains(said, "does not know that passkey") {
		t.Errorf("a removed passkey: %d %s", status, said)
	}
	boss.Ask("POST", "/people/"+id+"/forget-second-factor", url.Values{})
	if _, status, said := kept.LogIn(hubtest.NewVisitor(t, r)); status != http.StatusUnprocessableEntity {
		t.Errorf("a passkey that an administrator has dropped: %d %s", status, said)
	}
	slowed := false
	for range 12 {
		status, said := boss.Send("/login/passkey/begin", struct{}{}, nil)
		slowed = slowed || status == http.StatusTooManyRequests && strings.Contains(said, "Try again")
		boss.Send("/login/passkey/finish", map[string]any{"answer": "nonsense"}, nil)
	}
	if !slowed {
		t.Error("guesses are not slowed down")
	}
	_, page, _ = boss.Ask("GET", "/audit", nil)
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
		r := hubtest.StartHub(t, map[string]any{"public_url": address})
		link, err := r.Hub.SetupLink(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		v := hubtest.NewVisitor(t, r)
		v.Base = "http://" + r.Hub.Addr().String()
		if strings.HasPrefix(address, "http:") { // else the cookie would not come back
			_, token, _ := strings.Cut(link, "link=")
			v.Ask("POST", "/setup", url.Values{"link": {token}, "login": {"owner"}, "password": {hubtest.Password}, "repeat": {hubtest.Password}})
			if _, page, _ := v.Ask("GET", "/settings", nil); !strings.Contains(page, why) || strings.Contains(page, "data-passkey=") {
				t.Errorf("%s: the settings do not say %q", address, why)
			}
		}
		if _, page, _ := v.Ask("GET", "/login", nil); strings.Contains(page, "data-passkey=") {
			t.Errorf("%s: the login page offers passkeys", address)
		}
		if status, _ := v.Send("/login/passkey/begin", struct{}{}, nil); status != http.StatusConflict {
			t.Errorf("%s: a login begins: %d", address, status)
		}
	}
}
