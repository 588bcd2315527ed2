package browser_test

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/evergrant/evergrant/hub/test/hubtest"
	"github.com/evergrant/evergrant/plugins/emulator"
)

// picturesIn names a folder for pictures of tested pages; empty takes none.
const picturesIn = "EVERGRANT_TEST_PICTURES"

// snap takes a picture of what is seen for people to look at, where that is asked for.
func snap(b *hubtest.Browser, name string) {
	b.T.Helper()
	dir := os.Getenv(picturesIn)
	if dir == "" {
		return
	}
	ctx, cancel := context.WithTimeout(b.Ctx, time.Minute)
	defer cancel()
	data, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), data, 0o600)
	}
	if err != nil {
		b.T.Error(err)
	}
}

// Somebody without an account picks a published service, logs in there, and copies the
// codes: whole and field by field, with how long they last. Nothing of it is kept, a reload
// shows nothing, and the audit has it.
func TestAStrangerTakesCodesOfAPublishedServiceOnce(t *testing.T) {
	t.Parallel()
	if os.Getenv("EVERGRANT_TEST_CHROMIUM") == "" {
		t.Skip("needs Chromium: make test")
	}
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	s := world.Service("google-calendar")
	s.Title = "Google Календарь отдела продаж «Северо-Запад»"
	r.AddService(t, s)
	boss.Follow("/services/"+s.Name+"/publish", url.Values{})
	says := map[string][]string{
		"ru": {"Коды доступа без регистрации", "Renews", "дал доступ", "Хаб их не сохранил", "Автопродление", "Получить коды ещё раз", "По отдельным полям", "уже не ждут"},
		"en": {"Access codes without an account", "Renews", "gave access", "The hub has not stored them", "Renews itself", "Take codes again", "Field by field", "no longer waiting"},
	}
	for lang, words := range says {
		for _, width := range widths {
			t.Run(fmt.Sprint(lang, width), func(t *testing.T) {
				b := hubtest.StartBrowser(t, int(width), 800)
				speakOf(b, r.Hub.URL()+"/", lang, width)
				b.See(words[0])
				b.See(s.Title)
				inBounds(b, "the front page")
				snap(b, "front-"+lang+fmt.Sprint(width))
				b.Click(".eg-door")
				b.Click(`button[name="decision"][value="allow"]`)
				for _, word := range append(slices.Clone(words[2:5]), words[5]) {
					b.See(word)
				}
				inBounds(b, "the codes")
				snap(b, "codes-"+lang+fmt.Sprint(width))
				var codes map[string]any
				if err := json.Unmarshal([]byte(b.Text("#once-codes")), &codes); err != nil {
					t.Fatalf("the codes are no JSON: %v\n%s", err, b.Text("main"))
				}
				b.Click("#code-fields summary")
				inBounds(b, "the fields")
				snap(b, "fields-"+lang+fmt.Sprint(width))
				for _, name := range []string{"accessToken", "refreshToken", "expires"} {
					field := hubtest.Script[string](b, `document.getElementById('code-`+name+`').value`)
					if want := fmt.Sprint(codes[name]); name != "expires" && field != want || field == "" {
						t.Errorf("%s is %q beside %q in the JSON", name, field, want)
					}
					if n := hubtest.Script[int](b, `document.querySelectorAll('[data-copy-from="code-`+name+`"]').length`); n != 1 {
						t.Errorf("%s has %d buttons to copy it", name, n)
					}
				}
				hubtest.Script[bool](b, "location.reload(), true")
				b.See(words[7])
				if to := hubtest.Script[string](b, `document.querySelector('#again').getAttribute('href')`); to != "/codes" {
					t.Errorf("after the codes are gone the button leads to %s", to)
				}
			})
		}
	}
	_, audit, _ := boss.Ask("GET", "/audit?act=service.once", nil)
	if !strings.Contains(audit, "somebody without an account") || !strings.Contains(audit, "127.0.0.1") {
		t.Error("the audit does not say that a stranger took codes")
	}
	if v := r.View(t, "c-google-calendar"); v.Generation != 0 {
		t.Error("the grant of a stranger was kept")
	}
}

// Nothing is published by itself, by who may not, or after it was taken back: then strangers
// are led to the login, and what they have begun leads to no codes.
func TestAServiceIsPublishedByAnOwnerAlone(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	s := world.Service("google-calendar")
	r.AddService(t, s)
	stranger := hubtest.NewVisitor(t, r)
	closed := func(when string) {
		t.Helper()
		for _, path := range []string{"/", "/codes", "/ask"} {
			if _, _, to := stranger.Ask("GET", path, nil); !strings.HasPrefix(to, "/login") {
				t.Errorf("%s: %s leads a stranger to %q", when, path, to)
			}
		}
		if _, _, to := stranger.Ask("POST", "/codes/"+s.Name, url.Values{}); !strings.HasPrefix(to, "/login") {
			t.Errorf("%s: a stranger is sent to %q", when, to)
		}
	}
	closed("before")
	admin := boss.Invite(r, "admin", "administrator")
	if status, _, _ := admin.Ask("POST", "/services/"+s.Name+"/publish", url.Values{}); status != http.StatusForbidden {
		t.Errorf("an administrator publishes: %d", status)
	}
	_, page, _ := boss.Ask("GET", "/services/"+s.Name, nil)
	for _, words := range []string{"Off: only people with an account", "20 logins an hour", "blocks the registration"} {
		if !strings.Contains(page, words) {
			t.Errorf("the page of the service does not say %q", words)
		}
	}
	boss.Follow("/services/"+s.Name+"/publish", url.Values{})
	b := hubtest.StartBrowser(t, 390, 800)
	b.Open(r.Hub.URL() + "/")
	b.Click(".eg-door")
	b.Wait(`button[name="decision"][value="allow"]`)
	boss.Follow("/services/"+s.Name+"/unpublish", url.Values{})
	b.Click(`button[name="decision"][value="allow"]`)
	b.See("no longer waiting")
	if has(b, "#once-codes") {
		t.Error("codes of a service that was taken off the front page are shown")
	}
	closed("after")
}

// How often strangers begin is bounded, from each address and in total, over all replicas.
func TestTheFrontPageIsLimited(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, map[string]any{"trusted_proxies": []string{"127.0.0.1"}})
	boss := r.Owner(t)
	s := world.Service("google-calendar")
	r.AddService(t, s)
	boss.Follow("/services/"+s.Name+"/publish", url.Values{})
	begin := func(address string) int {
		t.Helper()
		status, _, _ := hubtest.NewVisitor(t, r).Ask("POST", "/codes/"+s.Name, url.Values{}, "X-Forwarded-For", address)
		return status
	}
	for i := range 20 {
		if status := begin("203.0.113.7"); status != http.StatusSeeOther {
			t.Fatalf("the %dth is answered %d", i+1, status)
		}
	}
	if status := begin("203.0.113.7"); status != http.StatusTooManyRequests {
		t.Errorf("the 21st of an address is answered %d", status)
	}
	for i := range 20 { // one machine has all the addresses of a network of IPv6
		begin(fmt.Sprintf("2001:db8::%d", i+1))
	}
	if status := begin("2001:db8::ffff"); status != http.StatusTooManyRequests {
		t.Errorf("another address of the same network is answered %d", status)
	}
	for i := range 260 {
		if status := begin(fmt.Sprintf("198.51.100.%d", i/20+1)); status != http.StatusSeeOther {
			t.Fatalf("the %dth of all is answered %d", 41+i, status)
		}
	}
	if status := begin("192.0.2.1"); status != http.StatusTooManyRequests {
		t.Errorf("the 301st of all is answered %d", status)
	}
}

// What was handed over is kept if an administrator asks for it: as a connection that the hub
// renews from then on. Nobody else is offered that.
func TestCodesAreKeptIfSomebodyAsksForIt(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	s := world.Service("google-calendar")
	r.AddService(t, s)
	taken := func(v *hubtest.Visitor) string {
		t.Helper()
		target := regexp.MustCompile(`id="continue" href="([^"]+)"`).FindStringSubmatch(v.Follow("/once", url.Values{"service": {s.Title}}))
		if target == nil {
			t.Fatal("the title of a service leads nowhere")
		}
		landed, err := emulator.Person{}.Authorize(t.Context(), html.UnescapeString(target[1]), emulator.Choices{})
		if err != nil {
			t.Fatal(err)
		}
		_, page, _ := v.Ask("GET", landed.String(), nil)
		return page
	}
	if page := taken(boss.Invite(r, "olga", "operator")); !strings.Contains(page, `id="once-codes"`) || strings.Contains(page, `name="grant"`) {
		t.Error("an operator does not get the codes, or is offered to keep what they may not")
	}
	grant := regexp.MustCompile(`name="grant" value="([^"]+)"`).FindStringSubmatch(taken(boss))
	if grant == nil {
		t.Fatal("an owner is not offered to keep it")
	}
	status, page, to := boss.Ask("POST", "/connections/import", url.Values{"service": {s.Name}, "title": {"Kept"}, "grant": {html.UnescapeString(grant[1])}})
	if status != http.StatusSeeOther || to != "/connections/kept" {
		t.Fatalf("keeping answers %d %s: %s", status, to, page)
	}
	if v := r.View(t, "kept"); !v.Renewable || v.Status != "fresh" {
		t.Errorf("what was kept: %+v", v)
	}
	if err := s.Confirm(t.Context(), r.Key(t, "kept").Pull(t, "kept").AccessToken); err != nil {
		t.Error(err)
	}
}

// Where many services are published, the front page is searched by the words of their
// titles, in any case; what is not there is said, with the way back to all.
func TestTheFrontPageIsSearchedWhereServicesAreMany(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	s := world.Service("google-calendar")
	publish := func(name, title string) {
		r.Admin.Must(t, "POST", "/api/v1/services", map[string]any{
			"name": name, "title": title, "provider": s.Provider, "client_id": s.ClientID, "client_secret": s.ClientSecret, "scopes": s.Scopes, "options": s.Options,
		}, nil)
		boss.Follow("/services/"+name+"/publish", url.Values{})
	}
	list := func(query string) string {
		_, page, _ := hubtest.NewVisitor(t, r).Ask("GET", "/codes?q="+url.QueryEscape(query), nil)
		return page
	}
	for i := range 8 {
		publish(fmt.Sprintf("shop-%d", i), fmt.Sprintf("Склад номер %d", i))
	}
	if strings.Contains(list(""), `type="search"`) {
		t.Error("eight services are searched")
	}
	publish("calendar", "Календарь отдела")
	for query, want := range map[string]int{"": 9, "СКЛАД": 8, "номер 3": 1, "отдела кален": 1, "google отдела ": 1, "нет такого": 0} {
		page := list(query)
		if got := strings.Count(page, "eg-door\""); got != want || !strings.Contains(page, `type="search"`) {
			t.Errorf("%q finds %d services, want %d", query, got, want)
		}
	}
	if page := list(`<b>"none`); !strings.Contains(page, "&lt;b&gt;") || !strings.Contains(page, `<a href="/codes">`) {
		t.Errorf("nothing is found without a word: %s", page)
	}
}
