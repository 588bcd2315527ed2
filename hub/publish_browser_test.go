package hub_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// An owner publishes a service and takes it back in the browser: the page says what
// strangers may do with it before the question is answered, since when and by whom it is
// published after, and fits at every width.
func TestAnOwnerPublishesAServiceInTheBrowser(t *testing.T) {
	t.Parallel()
	world := startWorld(t, time.Hour)
	r := startHub(t, nil)
	r.owner(t)
	s := world.Service("google-calendar")
	s.Title = "Google Календарь отдела продаж «Северо-Запад»"
	r.addService(t, s)
	says := map[string][]string{
		"ru": {"Коды доступа без регистрации", "Выключено: коды доступа берут только люди с учётной записью.", "Включено: коды доступа этого сервиса может взять любой, кто откроет хаб.", "стоит на главной странице хаба"},
		"en": {"Access codes without an account", "Off: only people with an account take access codes.", "On: anybody who opens this hub can take access codes of this service.", "stands on the front page of the hub"},
	}
	b := startBrowser(t, 1440, 900)
	b.logIn(r, "owner")
	for lang, words := range says {
		b.speakOf(r.hub.URL()+"/services/"+s.Name, lang, 1440)
		b.see(words[0])
		b.see(words[1])
		for _, width := range widths {
			b.publishedAt(width, "off-"+lang)
			b.click("#publish-open")
			b.wait("dialog#publish[open]")
			b.inBounds("the question")
			b.snap("publish-question-" + lang)
			b.click("dialog#publish [data-closes]")
		}
		b.click("#publish-open")
		b.click("dialog#publish button[type=submit]")
		b.see(words[2])
		b.see(words[3])
		for _, width := range widths {
			b.publishedAt(width, "on-"+lang)
		}
		b.click("#unpublish")
		b.see(words[1])
	}
}

// publishedAt looks at the section at a width, and takes its picture where that is asked for.
func (b *browser) publishedAt(width int64, name string) {
	b.t.Helper()
	b.do("be as wide", chromedp.EmulateViewport(width, 900))
	script[bool](b, `document.getElementById('published').scrollIntoView({behavior: 'instant'}), true`)
	b.inBounds("the section of what is published")
	b.snap("published-" + name + "-" + fmt.Sprint(width))
}
