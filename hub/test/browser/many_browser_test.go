package browser_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// fits fails if a page is wider than its window, at the widths of phones and of a desk, in
// both languages. With EVERGRANT_TEST_LOOK a folder gets a picture of each.
func fits(b *hubtest.Browser, name string) {
	b.T.Helper()
	for _, lang := range []string{"ru", "en"} {
		b.Click(`button[name="lang"][value="` + lang + `"]`)
		b.Wait(`html[lang="` + lang + `"] nav`)
		for _, width := range []int64{360, 390, 1440} {
			b.Do("hold the page", chromedp.EmulateViewport(width, 800))
			if wide := hubtest.Script[int64](b, `document.documentElement.scrollWidth`); wide > width {
				b.T.Errorf("%s in %s is %d wide at %d", name, lang, wide, width)
			}
			look(b, fmt.Sprintf("%s-%s-%d.png", name, lang, width))
		}
		b.Do("hold the page", chromedp.EmulateViewport(1280, 900))
	}
}

func look(b *hubtest.Browser, file string) {
	dir := os.Getenv("EVERGRANT_TEST_LOOK")
	if dir == "" {
		return
	}
	image, err := chromedp.Run(b.Ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, file), image, 0o600)
	}
	if err != nil {
		b.T.Error(err)
	}
}

// A person deletes what a search finds: all of a page are picked by its head, the question
// takes a number, and one of them comes back from the trash.
func TestAPersonDeletesManyAndPutsOneBack(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	b := hubtest.StartBrowser(t, 1280, 900)
	b.SetUp(r)
	name := r.AddService(t, world.Service("oauth2"))
	r.Authorize(t, name)
	r.Many(t, r.ServiceOf(t, name), 15)
	b.Open(r.Hub.URL() + "/connections?q=branch")
	b.See("15 of 16 found.")
	fits(b, "list")
	b.Click("[data-picks-page]")
	b.See("Picked: 15")
	if in := hubtest.Script[bool](b, `(() => { const bar = document.querySelector(".eg-bulk-bar").getBoundingClientRect(); return bar.bottom <= innerHeight && bar.top >= 0 })()`); !in {
		t.Error("the bar of acts is out of reach")
	}
	hubtest.Script[bool](b, `(() => { const act = document.querySelector('[name=act]'); act.value = 'delete'; act.dispatchEvent(new Event('change', {bubbles: true})); return true })()`)
	b.Click(".eg-bulk-bar button[type=submit]")
	b.See("Delete 15 connections?")
	b.See("branch-000")
	b.Fill("number", "14")
	b.Click("#bulk-ask button.btn-danger")
	b.See("That is another number. Type 15.")
	b.Fill("number", "15")
	b.Click("#bulk-ask button.btn-danger")
	b.See("Of 15: 15 done, 0 failed.")
	b.Click(`a.btn[href="/trash"]`)
	b.See("15 deleted connections.")
	fits(b, "trash")
	b.Fill("q", "branch-003")
	b.Click(`.eg-find button`)
	hubtest.Eventually(t, "only what was searched is listed", func() bool { return !strings.Contains(b.Text("main"), "branch-000") })
	b.Click(`button[formaction$="/put-back"]`)
	b.See("is back")
	if got := b.Address(); !strings.HasSuffix(got, "/connections/branch-003") {
		t.Errorf("it is put back at %s", got)
	}
}

// A question before a deletion fits a phone in both languages.
func TestTheQuestionBeforeADeletionFits(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	b := hubtest.StartBrowser(t, 360, 800)
	b.SetUp(r)
	name := r.AddService(t, world.Service("bitrix24"))
	r.Authorize(t, name)
	r.Key(t, name)
	r.Many(t, r.ServiceOf(t, name), 12)
	for _, lang := range []string{"ru", "en"} {
		b.Open(r.Hub.URL() + "/connections")
		b.Click(`button[name="lang"][value="` + lang + `"]`)
		b.Wait(`html[lang="` + lang + `"] nav`)
		b.Click("[data-picks-all]")
		hubtest.Script[bool](b, `(() => { document.querySelector('[name=act]').value = 'delete'; return true })()`)
		b.Click(".eg-bulk-bar button[type=submit]")
		b.Wait("#bulk-ask")
		for _, width := range []int64{360, 390, 1440} {
			b.Do("hold the page", chromedp.EmulateViewport(width, 1200))
			if wide := hubtest.Script[int64](b, `document.documentElement.scrollWidth`); wide > width {
				t.Errorf("the question in %s is %d wide at %d", lang, wide, width)
			}
			look(b, fmt.Sprintf("ask-%s-%d.png", lang, width))
		}
	}
}

// A key is made for a connection that is far down a long list: the form says that it does
// not show all, and searches on the server, with and without a script.
func TestAKeyIsMadeForOneOfManyConnections(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	b := hubtest.StartBrowser(t, 1280, 900)
	b.SetUp(r)
	name := r.AddService(t, world.Service("oauth2"))
	service := r.ServiceOf(t, name)
	r.Many(t, service, 130)
	hubtest.Eventually(t, "the connections are counted anew", func() bool { // the count is a little old at most
		b.Open(r.Hub.URL() + "/keys/new?connection=branch-001")
		return strings.Contains(b.Text("main"), "of 131 found are shown, of 131 in all")
	})
	fits(b, "key")
	b.Fill("title", "Nightly export")
	b.Fill("find", "branch-12")
	b.See("10 of 131 found.")
	b.Click(`input[name="connections"][value="branch-127"]`)
	b.Click(`#picker-search`) // as without a script
	b.Wait(`#picker-list`)
	if kept := hubtest.Script[string](b, `[...document.querySelectorAll('input[name=connections]:checked')].map(x => x.value).join() + document.querySelector('[name=title]').value`); kept != "branch-001,branch-127Nightly export" {
		t.Errorf("the search has kept %q", kept)
	}
	b.Click("[data-main]")
	b.See("Nightly export")
	b.Open(r.Hub.URL() + "/services/" + service)
	b.See("131 connections.")
	if shown := hubtest.Script[int](b, `document.querySelectorAll('tr[data-href]').length`); shown != 100 {
		t.Errorf("the first page of the service has %d", shown)
	}
	fits(b, "service")
	b.Click(`.eg-more a`)
	b.Wait(`a[href="/connections/branch-127"]`)
}
