package hub_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// widths are those of a small phone, a usual one and a desk, in CSS pixels.
var widths = []int64{360, 390, 1440}

// speakOf opens an address in a language and at a width.
func (b *browser) speakOf(address, lang string, width int64) {
	b.t.Helper()
	b.do("be as wide", chromedp.EmulateViewport(width, 800))
	b.open(address)
	b.click(`button[name="lang"][value="` + lang + `"]`)
	b.wait(`html[lang="` + lang + `"]`)
}

// inBounds fails if something stands out of the window, a button's words out of the
// button, or a picture is broken.
func (b *browser) inBounds(what string) {
	b.t.Helper()
	wrong := script[[]string](b, `(() => {
		const wrong = [], wide = document.documentElement.clientWidth;
		if (document.documentElement.scrollWidth > wide) wrong.push('the page is ' + document.documentElement.scrollWidth + ' wide');
		for (const el of document.querySelectorAll('main .btn, main h1, main p, main .card, main .eg-code')) {
			if (!el.checkVisibility()) continue;
			const box = el.getBoundingClientRect();
			if (el.scrollWidth > el.clientWidth + 1 && getComputedStyle(el).overflowX === 'visible' && el.clientWidth > 0) wrong.push('the words run out of: ' + el.innerText);
			if (box.left < 0 || box.right > wide + 1) wrong.push('stands out: ' + el.innerText);
		}
		for (const img of document.images) if (img.checkVisibility() && img.complete && img.naturalWidth === 0) wrong.push('a broken picture: ' + img.src);
		return wrong })()`)
	for _, x := range wrong {
		b.t.Errorf("%s: %s", what, x)
	}
}

// The pages that a stranger sees on the way through a link: whole on a phone, with the
// service's picture, in the reader's words, and with a button where they say to begin
// again.
func TestTheFrontDoorIsWholeOnAPhone(t *testing.T) {
	t.Parallel()
	world := startWorld(t, time.Hour)
	r := startHub(t, nil)
	boss := r.owner(t)
	s := world.Service("google-calendar")
	s.Title = "Google Календарь отдела продаж «Северо-Запад»"
	connection := r.addService(t, s)
	says := map[string][]string{
		"ru": {"Календари: всё", "Действует один раз и только в этом браузере.", "Перейти по ней можно до", "Начать заново", "Готово, страницу можно закрыть"},
		"en": {"Calendars: everything", "Good once, and in this browser alone.", "It can be followed until", "Start again", "Done, you can close this page"},
	}
	for lang, words := range says {
		for _, width := range widths {
			t.Run(fmt.Sprint(lang, width), func(t *testing.T) {
				b := startBrowser(t, int(width), 800)
				link := grantLinkRE.FindString(boss.follow("/connections/"+connection+"/link", url.Values{}))
				b.speakOf(r.hub.URL()+link, lang, width)
				b.inBounds("the link")
				for _, word := range words[:3] {
					b.see(word)
				}
				if shown := b.text("main"); strings.Contains(shown, "googleapis.com/auth") || strings.Contains(shown, "до через") {
					t.Errorf("the page shows a scope's address or an odd date:\n%s", shown)
				}
				if n := script[int](b, `document.querySelectorAll('main .eg-icon img').length`); n != 1 {
					t.Errorf("there are %d pictures of the service", n)
				}
				b.deny()
				b.see(words[3])
				b.inBounds("the refusal")
				if script[bool](b, `[...document.querySelectorAll('main .eg-said')].some(x => x.checkVisibility())`) {
					t.Error("the service's own words, in any language, stand in the page unasked")
				}
				b.click("#again")
				b.wait("main form button[type=submit]")
				if !strings.Contains(b.address(), link) {
					t.Errorf("the button leads to %s", b.address())
				}
				b.click("main form button[type=submit]")
				b.click(`button[name="decision"][value="allow"]`)
				b.see(words[4])
				b.inBounds("the result")
			})
		}
	}
}

// deny goes on to the service and does not agree there.
func (b *browser) deny() {
	b.t.Helper()
	b.click("main form button[type=submit]")
	b.click(`button[name="decision"][value="deny"]`)
	b.wait(".eg-mark.is-warning")
}

// Who comes back for nothing, and is not signed in, is led to where they can begin.
func TestAResultThatIsNotAwaitedLeadsOn(t *testing.T) {
	t.Parallel()
	world := startWorld(t, time.Hour)
	r := startHub(t, nil)
	r.owner(t)
	s := world.Service("google-calendar")
	r.addService(t, s)
	b := startBrowser(t, 360, 800)
	b.open(r.hub.URL() + "/callback/" + s.Name + "?state=unknown&code=c")
	if to := script[string](b, `document.querySelector('#again').getAttribute('href')`); to != "/login" {
		t.Errorf("the button leads to %s", to)
	}
	if b.has(`button[name="lang"]`) {
		t.Error("a switch of language would lose the result")
	}
	b.inBounds("the result")
}
