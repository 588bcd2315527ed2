package browser_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// widths are those of a small phone, a usual one and a desk, in CSS pixels.
var widths = []int64{360, 390, 1440}

// speakOf opens an address in a language and at a width.
func speakOf(b *hubtest.Browser, address, lang string, width int64) {
	b.T.Helper()
	b.Do("be as wide", chromedp.EmulateViewport(width, 800))
	b.Open(address)
	if has(b, `html[lang="`+lang+`"]`) {
		return // a click would load the page once more, and nothing would tell when it is there
	}
	b.Click(`button[name="lang"][value="` + lang + `"]`)
	b.Wait(`html[lang="` + lang + `"]`)
}

// inBounds fails if something stands out of the window, a button's words out of the
// button, or a picture is broken.
func inBounds(b *hubtest.Browser, what string) {
	b.T.Helper()
	wrong := hubtest.Script[[]string](b, `(() => {
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
		b.T.Errorf("%s: %s", what, x)
	}
}

// The pages that a stranger sees on the way through a link: whole on a phone, with the
// service's picture, in the reader's words, and with a button where they say to begin
// again.
func TestTheFrontDoorIsWholeOnAPhone(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	s := world.Service("google-calendar")
	s.Title = "Google Календарь отдела продаж «Северо-Запад»"
	connection := r.AddService(t, s)
	says := map[string][]string{
		"ru": {"Календари: всё", "Действует один раз и только в этом браузере.", "Перейти по ней можно до", "Начать заново", "Готово, страницу можно закрыть"},
		"en": {"Calendars: everything", "Good once, and in this browser alone.", "It can be followed until", "Start again", "Done, you can close this page"},
	}
	for lang, words := range says {
		for _, width := range widths {
			t.Run(fmt.Sprint(lang, width), func(t *testing.T) {
				b := hubtest.StartBrowser(t, int(width), 800)
				link := hubtest.GrantLinkRE.FindString(boss.Follow("/connections/"+connection+"/link", url.Values{}))
				speakOf(b, r.Hub.URL()+link, lang, width)
				inBounds(b, "the link")
				for _, word := range words[:3] {
					b.See(word)
				}
				if shown := b.Text("main"); strings.Contains(shown, "googleapis.com/auth") || strings.Contains(shown, "до через") {
					t.Errorf("the page shows a scope's address or an odd date:\n%s", shown)
				}
				if n := hubtest.Script[int](b, `document.querySelectorAll('main .eg-icon img').length`); n != 1 {
					t.Errorf("there are %d pictures of the service", n)
				}
				deny(b)
				b.See(words[3])
				inBounds(b, "the refusal")
				if hubtest.Script[bool](b, `[...document.querySelectorAll('main .eg-said')].some(x => x.checkVisibility())`) {
					t.Error("the service's own words, in any language, stand in the page unasked")
				}
				b.Click("#again")
				b.Wait("main form button[type=submit]")
				if !strings.Contains(b.Address(), link) {
					t.Errorf("the button leads to %s", b.Address())
				}
				b.Click("main form button[type=submit]")
				b.Click(`button[name="decision"][value="allow"]`)
				b.See(words[4])
				inBounds(b, "the result")
			})
		}
	}
}

// deny goes on to the service and does not agree there.
func deny(b *hubtest.Browser) {
	b.T.Helper()
	b.Click("main form button[type=submit]")
	b.Click(`button[name="decision"][value="deny"]`)
	b.Wait(".eg-mark.is-warning")
}

// Who comes back for nothing, and is not signed in, is led to where they can begin.
func TestAResultThatIsNotAwaitedLeadsOn(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	r.Owner(t)
	s := world.Service("google-calendar")
	r.AddService(t, s)
	b := hubtest.StartBrowser(t, 360, 800)
	b.Open(r.Hub.URL() + "/callback/" + s.Name + "?state=unknown&code=c")
	if to := hubtest.Script[string](b, `document.querySelector('#again').getAttribute('href')`); to != "/login" {
		t.Errorf("the button leads to %s", to)
	}
	if has(b, `button[name="lang"]`) {
		t.Error("a switch of language would lose the result")
	}
	inBounds(b, "the result")
}
