package browser_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// An owner publishes a service and takes it back in the browser: the page says what
// strangers may do with it before the question is answered, since when and by whom it is
// published after, and fits at every width.
func TestAnOwnerPublishesAServiceInTheBrowser(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	r.Owner(t)
	s := world.Service("google-calendar")
	s.Title = "Google Календарь отдела продаж «Северо-Запад»"
	r.AddService(t, s)
	says := map[string][]string{
		"ru": {"Коды доступа без регистрации", "Выключено: коды доступа берут только люди с учётной записью.", "Включено: коды доступа этого сервиса может взять любой, кто откроет хаб.", "стоит на главной странице хаба"},
		"en": {"Access codes without an account", "Off: only people with an account take access codes.", "On: anybody who opens this hub can take access codes of this service.", "stands on the front page of the hub"},
	}
	b := hubtest.StartBrowser(t, 1440, 900)
	b.LogIn(r, "owner")
	for lang, words := range says {
		speakOf(b, r.Hub.URL()+"/services/"+s.Name, lang, 1440)
		b.See(words[0])
		b.See(words[1])
		for _, width := range widths {
			publishedAt(b, width, "off-"+lang)
			b.Click("#publish-open")
			b.Wait("dialog#publish[open]")
			inBounds(b, "the question")
			snap(b, "publish-question-"+lang)
			b.Click("dialog#publish [data-closes]")
		}
		b.Click("#publish-open")
		b.Click("dialog#publish button[type=submit]")
		b.See(words[2])
		b.See(words[3])
		for _, width := range widths {
			publishedAt(b, width, "on-"+lang)
		}
		b.Click("#unpublish")
		b.See(words[1])
	}
}

// publishedAt looks at the section at a width, and takes its picture where that is asked for.
func publishedAt(b *hubtest.Browser, width int64, name string) {
	b.T.Helper()
	b.Do("be as wide", chromedp.EmulateViewport(width, 900))
	hubtest.Script[bool](b, `document.getElementById('published').scrollIntoView({behavior: 'instant'}), true`)
	inBounds(b, "the section of what is published")
	snap(b, "published-"+name+"-"+fmt.Sprint(width))
}
