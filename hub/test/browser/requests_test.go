package hub_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/channel"
)

var requestRE = regexp.MustCompile(`action="(/requests/[0-9a-f-]{36})"`)

// Who misses a service says which, what for and how to reach them; an administrator reads
// it and says what became of it. Whole on a phone, in both languages.
func TestAStrangerAsksForAServiceThatIsMissing(t *testing.T) {
	t.Parallel()
	world := startWorld(t, time.Hour)
	r := startHub(t, nil)
	boss := r.owner(t)
	s := world.Service("google-calendar")
	r.addService(t, s)
	boss.follow("/services/"+s.Name+"/publish", url.Values{})
	says := map[string][]string{
		"ru": {"Какого сервиса не хватает?", "Укажите сервис", "Запрос отправлен"},
		"en": {"Which service is missing?", "Say which service", "Your request was sent"},
	}
	for lang, words := range says {
		for i, width := range widths {
			t.Run(fmt.Sprint(lang, width), func(t *testing.T) {
				service := fmt.Sprintf("Авито %s %d", lang, width)
				b := startBrowser(t, int(width), 800)
				b.speakOf(r.hub.URL()+"/codes", lang, width)
				b.click(`a[href="/ask"]`)
				b.see(words[0])
				b.inBounds("the form")
				b.click("main form button[type=submit]")
				b.see(words[1])
				b.inBounds("the form with what is wrong")
				b.snap("ask-wrong-" + lang + fmt.Sprint(width))
				b.fill("service", service)
				b.fill("purpose", "Orders into the CRM <b>every</b> night")
				b.fill("contact", "anna@example.com")
				if i == 0 {
					b.snap("ask-" + lang + fmt.Sprint(width))
				}
				if lang == "ru" { // five a day from one address
					b.click("main form button[type=submit]")
					b.see(words[2])
					b.inBounds("what comes of it")
					script[bool](b, "location.reload(), true")
					b.see(words[2])
				}
			})
		}
	}
	_, page, _ := boss.ask("GET", "/requests", nil)
	for _, words := range []string{"3 requests for services are open", "Авито ru 360", "anna@example.com", "&lt;b&gt;every", "asked on the front page"} {
		if !strings.Contains(page, words) {
			t.Errorf("the list does not say %q", words)
		}
	}
	if n := strings.Count(page, "Авито ru 360"); n != 1 {
		t.Errorf("a request that was reloaded is there %d times", n)
	}
	_, overview, _ := boss.ask("GET", "/", nil)
	if !strings.Contains(overview, "3 requests for services are open") {
		t.Error("the overview does not tell of requests")
	}
	found := requestRE.FindStringSubmatch(page)
	if page := boss.follow(found[1], url.Values{"state": {"declined"}}); !strings.Contains(page, "Declined by owner") || !strings.Contains(page, "2 requests") {
		t.Error("a request cannot be declined")
	}
	if page := boss.follow(found[1], url.Values{"state": {"done"}}); !strings.Contains(page, "Somebody has decided this request already") {
		t.Error("a request was decided twice")
	}
}

// Viewers and holders of links ask as well, each counted apart; what they write is bounded
// and reaches the contacts that take what nobody else does.
func TestARequestForAServiceReachesPeople(t *testing.T) {
	t.Parallel()
	world := startWorld(t, time.Hour)
	r := startHub(t, nil)
	boss := r.owner(t)
	services := startChannels(t)
	mail := boss.addChannel(services, channel.SMTP)
	boss.addContact("Desk", map[string]string{mail: services.Address(channel.SMTP)}, "takes_rest", "true")
	connection := r.addService(t, world.Service("google-calendar"))
	link := grantLinkRE.FindString(boss.follow("/connections/"+connection+"/link", url.Values{}))
	viewer := boss.invite(r, "vera", "viewer")
	stranger := newVisitor(t, r)
	asked := func(v *visitor, path string, form url.Values) (int, string) {
		t.Helper()
		status, page, _ := v.ask("POST", path, form)
		return status, page
	}
	good := url.Values{"service": {"Avito"}, "purpose": {"orders"}, "contact": {"@vera"}}
	if _, page, _ := viewer.ask("GET", "/services", nil); !strings.Contains(page, `href="/ask"`) {
		t.Error("a viewer is not offered to ask")
	}
	if _, page, _ := stranger.ask("GET", link, nil); !strings.Contains(page, link+"/ask") {
		t.Error("who holds a link is not offered to ask")
	}
	if status, _ := asked(stranger, "/grant/"+strings.Repeat("x", 43)+"/ask", good); status != http.StatusGone {
		t.Errorf("a link that is not good asks: %d", status)
	}
	for field, long := range map[string]int{"service": 201, "purpose": 1001, "contact": 201} {
		form := url.Values{"service": good["service"], "purpose": good["purpose"], "contact": good["contact"]}
		form.Set(field, strings.Repeat("ж", long))
		if status, page := asked(viewer, "/ask", form); status != http.StatusUnprocessableEntity || !strings.Contains(page, "This is too long.") {
			t.Errorf("a %s of %d characters is answered %d", field, long, status)
		}
	}
	asked(viewer, "/ask", good)
	first := told(t, services, channel.SMTP, 1)[0]
	if !strings.Contains(first.Subject, "Avito · @vera") || !strings.Contains(first.Text, r.hub.URL()+"/requests") || !strings.Contains(first.Text, "не открывайте в них незнакомых ссылок") {
		t.Errorf("the message says %q: %q", first.Subject, first.Text)
	}
	for _, x := range []struct {
		v    *visitor
		path string
		left int
	}{{viewer, "/ask", 4}, {stranger, link + "/ask", 5}} {
		for i := range x.left {
			if status, _ := asked(x.v, x.path, good); status != http.StatusSeeOther {
				t.Errorf("the %dth of a day to %s is answered %d", i+1, x.path, status)
			}
		}
		if status, page := asked(x.v, x.path, good); status != http.StatusTooManyRequests || !strings.Contains(page, `value="Avito"`) {
			t.Errorf("the sixth of a day to %s is answered %d, and keeps what was written: %t", x.path, status, strings.Contains(page, `value="Avito"`))
		}
	}
	_, page, _ := boss.ask("GET", "/requests", nil)
	for _, words := range []string{"10 requests", "asked by vera", "asked by who holds the link"} {
		if !strings.Contains(page, words) {
			t.Errorf("the list does not say %q", words)
		}
	}
}
