package browser_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/evergrant/evergrant/hub/internal/channel"
	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// Lists that are too long to be sent are looked for at the server: services where a
// connection is made, imported, and taken once, in rules; contacts where a connection gets
// an owner and a rule its recipients.
func TestLongListsAreSearchedAtTheServer(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	services := hubtest.StartChannels(t)
	s := world.Service("google-calendar")
	connection := r.AddService(t, s)
	for i := range 120 {
		r.Admin.Must(t, "POST", "/api/v1/services", map[string]any{
			"name": fmt.Sprintf("calendar-%03d", i), "title": fmt.Sprintf("Филиал %03d", i), "provider": s.Provider, "client_id": s.ClientID, "client_secret": s.ClientSecret,
			"scopes": s.Scopes, "options": s.Options,
		}, nil)
	}
	mail := boss.AddChannel(services, channel.SMTP)
	for i := range 120 {
		form := url.Values{"title": {fmt.Sprintf("Дежурный %03d", i)}, "lang": {"ru"}, "zone": {"Europe/Moscow"}, "address." + mail: {services.Address(channel.SMTP)}}
		if status, page, _ := boss.Ask("POST", "/escalation/contacts/new", form); status != http.StatusSeeOther {
			t.Fatalf("adding a contact answers %d: %s", status, page)
		}
	}
	for _, path := range []string{"/connections/new", "/connections/import", "/once", "/escalation/policies/new", "/connections/" + connection} {
		_, page, _ := boss.Ask("GET", path, nil)
		if n := strings.Count(page, "Филиал") + strings.Count(page, "Дежурный"); n > 25 {
			t.Errorf("%s sends %d choices of a long list", path, n)
		}
	}
	for lang, says := range map[string]string{"ru": "Сервиса с таким именем нет", "en": "There is no service of that name"} {
		for _, width := range widths {
			t.Run(fmt.Sprint(lang, width), func(t *testing.T) {
				b := hubtest.StartBrowser(t, int(width), 800)
				b.LogIn(r, "owner")
				speakOf(b, r.Hub.URL()+"/connections/new", lang, width)
				b.Fill("service", "no such")
				b.Fill("title", fmt.Sprintf("Connection %s %d", lang, width))
				b.Click(`button[value="later"]`)
				b.See(says)
				inBounds(b, "the form of a connection")
				snap(b, "pick-"+lang+fmt.Sprint(width))
				b.Fill("service", "филиал 077")
				hubtest.Eventually(t, "the server has found it", func() bool {
					return hubtest.Script[string](b, `[...document.querySelector('[name="service"]').list.options].map(x => x.value).join()`) == "calendar-077"
				})
				b.Click(`button[value="later"]`)
				b.See("Филиал 077")
				b.Open(r.Hub.URL() + "/escalation/policies/new")
				fillIn(b, `[data-boxes="boxes-services"]`, "филиал 09")
				hubtest.Eventually(t, "the boxes are those of the search", func() bool {
					return hubtest.Script[int](b, `document.querySelectorAll('#boxes-services label').length`) == 10
				})
				inBounds(b, "the form of a rule")
				b.Click(`#boxes-services label:first-child input`)
				fillIn(b, `[data-boxes="boxes-services"]`, "филиал 11")
				hubtest.Eventually(t, "what is ticked stays", func() bool {
					return hubtest.Script[int](b, `document.querySelectorAll('#boxes-services label').length`) == 11 && hubtest.Script[int](b, `document.querySelectorAll('#boxes-services input:checked').length`) == 1
				})
				fillIn(b, "#f-to-0", "Дежурный 042")
				b.Fill("title", fmt.Sprintf("Rule %s %d", lang, width))
				hubtest.Script[bool](b, `document.querySelector('main form .btn-primary').click(), true`) // the list of a field may lie over it
				b.See(fmt.Sprintf("Rule %s %d", lang, width))
				b.See("Дежурный 042")
				b.Open(r.Hub.URL() + "/connections/" + connection)
				fillIn(b, "#f-owner", "Дежурный 007")
				hubtest.Script[bool](b, `document.querySelector("form[action$='/owner'] button").click(), true`)
				b.Wait("main [role=status]")
				b.Open(r.Hub.URL() + "/connections/" + connection)
				if got := hubtest.Script[string](b, `document.querySelector('#f-owner').value`); got != "Дежурный 007" {
					t.Errorf("the owner is %q", got)
				}
			})
		}
	}
}

// fillIn replaces the value of what a selector names by typing.
func fillIn(b *hubtest.Browser, selector, value string) {
	b.T.Helper()
	b.Wait(selector)
	hubtest.Script[bool](b, "document.querySelector(`"+selector+"`).value = '', true")
	b.Do("fill in "+selector, chromedp.SendKeys(chromedp.CSS(selector), value))
}
