package browser_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/channel"
	"github.com/evergrant/evergrant/hub/test/hubtest"
)

var requestRE = regexp.MustCompile(`action="(/requests/[0-9a-f-]{36})"`)

// Who misses a service says which, what for and how to reach them; an administrator reads
// it and says what became of it. Whole on a phone, in both languages.
func TestAStrangerAsksForAServiceThatIsMissing(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	s := world.Service("google-calendar")
	r.AddService(t, s)
	boss.Follow("/services/"+s.Name+"/publish", url.Values{})
	says := map[string][]string{
		"ru": {"Какого сервиса не хватает?", "Укажите сервис", "Запрос отправлен"},
		"en": {"Which service is missing?", "Say which service", "Your request was sent"},
	}
	for lang, words := range says {
		for i, width := range widths {
			t.Run(fmt.Sprint(lang, width), func(t *testing.T) {
				service := fmt.Sprintf("Авито %s %d", lang, width)
				b := hubtest.StartBrowser(t, int(width), 800)
				speakOf(b, r.Hub.URL()+"/codes", lang, width)
				b.Click(`a[href="/ask"]`)
				b.See(words[0])
				inBounds(b, "the form")
				b.Click("main form button[type=submit]")
				b.See(words[1])
				inBounds(b, "the form with what is wrong")
				snap(b, "ask-wrong-"+lang+fmt.Sprint(width))
				b.Fill("service", service)
				b.Fill("purpose", "Orders into the CRM <b>every</b> night")
				b.Fill("contact", "anna@example.com")
				if i == 0 {
					snap(b, "ask-"+lang+fmt.Sprint(width))
				}
				if lang == "ru" { // five a day from one address
					b.Click("main form button[type=submit]")
					b.See(words[2])
					inBounds(b, "what comes of it")
					hubtest.Script[bool](b, "location.reload(), true")
					b.See(words[2])
				}
			})
		}
	}
	_, page, _ := boss.Ask("GET", "/requests", nil)
	for _, words := range []string{"3 requests for services are open", "Авито ru 360", "anna@example.com", "&lt;b&gt;every", "asked on the front page"} {
		if !strings.Contains(page, words) {
			t.Errorf("the list does not say %q", words)
		}
	}
	if n := strings.Count(page, "Авито ru 360"); n != 1 {
		t.Errorf("a request that was reloaded is there %d times", n)
	}
	_, overview, _ := boss.Ask("GET", "/", nil)
	if !strings.Contains(overview, "3 requests for services are open") {
		t.Error("the overview does not tell of requests")
	}
	found := requestRE.FindStringSubmatch(page)
	if page := boss.Follow(found[1], url.Values{"state": {"declined"}}); !strings.Contains(page, "Declined by owner") || !strings.Contains(page, "2 requests") {
		t.Error("a request cannot be declined")
	}
	if page := boss.Follow(found[1], url.Values{"state": {"done"}}); !strings.Contains(page, "Somebody has decided this request already") {
		t.Error("a request was decided twice")
	}
}

// Viewers and holders of links ask as well, each counted apart; what they write is bounded
// and reaches the contacts that take what nobody else does.
func TestARequestForAServiceReachesPeople(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	services := hubtest.StartChannels(t)
	mail := boss.AddChannel(services, channel.SMTP)
	boss.AddContact("Desk", map[string]string{mail: services.Address(channel.SMTP)}, "takes_rest", "true")
	connection := r.AddService(t, world.Service("google-calendar"))
	link := hubtest.GrantLinkRE.FindString(boss.Follow("/connections/"+connection+"/link", url.Values{}))
	viewer := boss.Invite(r, "vera", "viewer")
	stranger := hubtest.NewVisitor(t, r)
	asked := func(v *hubtest.Visitor, path string, form url.Values) (int, string) {
		t.Helper()
		status, page, _ := v.Ask("POST", path, form)
		return status, page
	}
	good := url.Values{"service": {"Avito"}, "purpose": {"orders"}, "contact": {"@vera"}}
	if _, page, _ := viewer.Ask("GET", "/services", nil); !strings.Contains(page, `href="/ask"`) {
		t.Error("a viewer is not offered to ask")
	}
	if _, page, _ := stranger.Ask("GET", link, nil); !strings.Contains(page, link+"/ask") {
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
	first := hubtest.Told(t, services, channel.SMTP, 1)[0]
	if !strings.Contains(first.Subject, "Avito · @vera") || !strings.Contains(first.Text, r.Hub.URL()+"/requests") || !strings.Contains(first.Text, "не открывайте в них незнакомых ссылок") {
		t.Errorf("the message says %q: %q", first.Subject, first.Text)
	}
	for _, x := range []struct {
		v    *hubtest.Visitor
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
	_, page, _ := boss.Ask("GET", "/requests", nil)
	for _, words := range []string{"10 requests", "asked by vera", "asked by who holds the link"} {
		if !strings.Contains(page, words) {
			t.Errorf("the list does not say %q", words)
		}
	}
}
