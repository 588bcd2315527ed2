package hub_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/evergrant/evergrant/hub/internal/channel"
)

// Lists that are too long to be sent are looked for at the server: services where a
// connection is made, imported, and taken once, in rules; contacts where a connection gets
// an owner and a rule its recipients.
func TestLongListsAreSearchedAtTheServer(t *testing.T) {
	t.Parallel()
	world := startWorld(t, time.Hour)
	r := startHub(t, nil)
	boss := r.owner(t)
	services := startChannels(t)
	s := world.Service("google-calendar")
	connection := r.addService(t, s)
	for i := range 120 {
		r.admin.must(t, "POST", "/api/v1/services", map[string]any{
			"name": fmt.Sprintf("calendar-%03d", i), "title": fmt.Sprintf("Филиал %03d", i), "provider": s.Provider, "client_id": s.ClientID, "client_secret": s.ClientSecret,
			"scopes": s.Scopes, "options": s.Options,
		}, nil)
	}
	mail := boss.addChannel(services, channel.SMTP)
	for i := range 120 {
		form := url.Values{"title": {fmt.Sprintf("Дежурный %03d", i)}, "lang": {"ru"}, "zone": {"Europe/Moscow"}, "address." + mail: {services.Address(channel.SMTP)}}
		if status, page, _ := boss.ask("POST", "/escalation/contacts/new", form); status != http.StatusSeeOther {
			t.Fatalf("adding a contact answers %d: %s", status, page)
		}
	}
	for _, path := range []string{"/connections/new", "/connections/import", "/once", "/escalation/policies/new", "/connections/" + connection} {
		_, page, _ := boss.ask("GET", path, nil)
		if n := strings.Count(page, "Филиал") + strings.Count(page, "Дежурный"); n > 25 {
			t.Errorf("%s sends %d choices of a long list", path, n)
		}
	}
	for lang, says := range map[string]string{"ru": "Сервиса с таким именем нет", "en": "There is no service of that name"} {
		for _, width := range widths {
			t.Run(fmt.Sprint(lang, width), func(t *testing.T) {
				b := startBrowser(t, int(width), 800)
				b.logIn(r, "owner")
				b.speakOf(r.hub.URL()+"/connections/new", lang, width)
				b.fill("service", "no such")
				b.fill("title", fmt.Sprintf("Connection %s %d", lang, width))
				b.click(`button[value="later"]`)
				b.see(says)
				b.inBounds("the form of a connection")
				b.snap("pick-" + lang + fmt.Sprint(width))
				b.fill("service", "филиал 077")
				eventually(t, "the server has found it", func() bool {
					return script[string](b, `[...document.querySelector('[name="service"]').list.options].map(x => x.value).join()`) == "calendar-077"
				})
				b.click(`button[value="later"]`)
				b.see("Филиал 077")
				b.open(r.hub.URL() + "/escalation/policies/new")
				b.fillIn(`[data-boxes="boxes-services"]`, "филиал 09")
				eventually(t, "the boxes are those of the search", func() bool {
					return script[int](b, `document.querySelectorAll('#boxes-services label').length`) == 10
				})
				b.inBounds("the form of a rule")
				b.click(`#boxes-services label:first-child input`)
				b.fillIn(`[data-boxes="boxes-services"]`, "филиал 11")
				eventually(t, "what is ticked stays", func() bool {
					return script[int](b, `document.querySelectorAll('#boxes-services label').length`) == 11 && script[int](b, `document.querySelectorAll('#boxes-services input:checked').length`) == 1
				})
				b.fillIn("#f-to-0", "Дежурный 042")
				b.fill("title", fmt.Sprintf("Rule %s %d", lang, width))
				script[bool](b, `document.querySelector('main form .btn-primary').click(), true`) // the list of a field may lie over it
				b.see(fmt.Sprintf("Rule %s %d", lang, width))
				b.see("Дежурный 042")
				b.open(r.hub.URL() + "/connections/" + connection)
				b.fillIn("#f-owner", "Дежурный 007")
				script[bool](b, `document.querySelector("form[action$='/owner'] button").click(), true`)
				b.wait("main [role=status]")
				b.open(r.hub.URL() + "/connections/" + connection)
				if got := script[string](b, `document.querySelector('#f-owner').value`); got != "Дежурный 007" {
					t.Errorf("the owner is %q", got)
				}
			})
		}
	}
}

// fillIn replaces the value of what a selector names by typing.
func (b *browser) fillIn(selector, value string) {
	b.t.Helper()
	b.wait(selector)
	script[bool](b, "document.querySelector(`"+selector+"`).value = '', true")
	b.do("fill in "+selector, chromedp.SendKeys(chromedp.CSS(selector), value))
}
