package hub_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// many adds n connections without a grant to a service.
func (r *running) many(t testing.TB, service string, n int) {
	t.Helper()
	for i := range n {
		r.admin.must(t, "POST", "/api/v1/connections", map[string]any{"service": service, "name": fmt.Sprintf("branch-%03d", i), "title": fmt.Sprintf("Branch %d", i)}, nil)
	}
}

// fits fails if a page is wider than its window, at the widths of phones and of a desk, in
// both languages. With EVERGRANT_TEST_LOOK a folder gets a picture of each.
func (b *browser) fits(name string) {
	b.t.Helper()
	for _, lang := range []string{"ru", "en"} {
		b.click(`button[name="lang"][value="` + lang + `"]`)
		b.wait(`html[lang="` + lang + `"] nav`)
		for _, width := range []int64{360, 390, 1440} {
			b.do("hold the page", chromedp.EmulateViewport(width, 800))
			if wide := script[int64](b, `document.documentElement.scrollWidth`); wide > width {
				b.t.Errorf("%s in %s is %d wide at %d", name, lang, wide, width)
			}
			b.look(fmt.Sprintf("%s-%s-%d.png", name, lang, width))
		}
		b.do("hold the page", chromedp.EmulateViewport(1280, 900))
	}
}

func (b *browser) look(file string) {
	dir := os.Getenv("EVERGRANT_TEST_LOOK")
	if dir == "" {
		return
	}
	image, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, file), image, 0o600)
	}
	if err != nil {
		b.t.Error(err)
	}
}

// A person deletes what a search finds: all of a page are picked by its head, the question
// takes a number, and one of them comes back from the trash.
func TestAPersonDeletesManyAndPutsOneBack(t *testing.T) {
	t.Parallel()
	world := startWorld(t, time.Hour)
	r := startHub(t, nil)
	b := startBrowser(t, 1280, 900)
	b.setUp(r)
	name := r.addService(t, world.Service("oauth2"))
	r.authorise(t, name)
	r.many(t, r.serviceOf(t, name), 15)
	b.open(r.hub.URL() + "/connections?q=branch")
	b.see("15 of 16 found.")
	b.fits("list")
	b.click("[data-picks-page]")
	b.see("Picked: 15")
	if in := script[bool](b, `(() => { const bar = document.querySelector(".eg-bulk-bar").getBoundingClientRect(); return bar.bottom <= innerHeight && bar.top >= 0 })()`); !in {
		t.Error("the bar of acts is out of reach")
	}
	script[bool](b, `(() => { const act = document.querySelector('[name=act]'); act.value = 'delete'; act.dispatchEvent(new Event('change', {bubbles: true})); return true })()`)
	b.click(".eg-bulk-bar button[type=submit]")
	b.see("Delete 15 connections?")
	b.see("branch-000")
	b.fill("number", "14")
	b.click("#bulk-ask button.btn-danger")
	b.see("That is another number. Type 15.")
	b.fill("number", "15")
	b.click("#bulk-ask button.btn-danger")
	b.see("Of 15: 15 done, 0 failed.")
	b.click(`a.btn[href="/trash"]`)
	b.see("15 deleted connections.")
	b.fits("trash")
	b.fill("q", "branch-003")
	b.click(`.eg-find button`)
	eventually(t, "only what was searched is listed", func() bool { return !strings.Contains(b.text("main"), "branch-000") })
	b.click(`button[formaction$="/put-back"]`)
	b.see("is back")
	if got := b.address(); !strings.HasSuffix(got, "/connections/branch-003") {
		t.Errorf("it is put back at %s", got)
	}
}

// A question before a deletion fits a phone in both languages.
func TestTheQuestionBeforeADeletionFits(t *testing.T) {
	t.Parallel()
	world := startWorld(t, time.Hour)
	r := startHub(t, nil)
	b := startBrowser(t, 360, 800)
	b.setUp(r)
	name := r.addService(t, world.Service("bitrix24"))
	r.authorise(t, name)
	r.key(t, name)
	r.many(t, r.serviceOf(t, name), 12)
	for _, lang := range []string{"ru", "en"} {
		b.open(r.hub.URL() + "/connections")
		b.click(`button[name="lang"][value="` + lang + `"]`)
		b.wait(`html[lang="` + lang + `"] nav`)
		b.click("[data-picks-all]")
		script[bool](b, `(() => { document.querySelector('[name=act]').value = 'delete'; return true })()`)
		b.click(".eg-bulk-bar button[type=submit]")
		b.wait("#bulk-ask")
		for _, width := range []int64{360, 390, 1440} {
			b.do("hold the page", chromedp.EmulateViewport(width, 1200))
			if wide := script[int64](b, `document.documentElement.scrollWidth`); wide > width {
				t.Errorf("the question in %s is %d wide at %d", lang, wide, width)
			}
			b.look(fmt.Sprintf("ask-%s-%d.png", lang, width))
		}
	}
}

// A key is made for a connection that is far down a long list: the form says that it does
// not show all, and searches on the server, with and without a script.
func TestAKeyIsMadeForOneOfManyConnections(t *testing.T) {
	t.Parallel()
	world := startWorld(t, time.Hour)
	r := startHub(t, nil)
	b := startBrowser(t, 1280, 900)
	b.setUp(r)
	name := r.addService(t, world.Service("oauth2"))
	service := r.serviceOf(t, name)
	r.many(t, service, 130)
	b.open(r.hub.URL() + "/keys/new?connection=branch-001")
	b.see("of 131 found are shown, of 131 in all")
	b.fits("key")
	b.fill("title", "Nightly export")
	b.fill("find", "branch-12")
	b.see("10 of 131 found.")
	b.click(`input[name="connections"][value="branch-127"]`)
	b.click(`#picker-search`) // as without a script
	b.wait(`#picker-list`)
	if kept := script[string](b, `[...document.querySelectorAll('input[name=connections]:checked')].map(x => x.value).join() + document.querySelector('[name=title]').value`); kept != "branch-001,branch-127Nightly export" {
		t.Errorf("the search has kept %q", kept)
	}
	b.click("[data-main]")
	b.see("Nightly export")
	b.open(r.hub.URL() + "/services/" + service)
	b.see("131 connections.")
	if shown := script[int](b, `document.querySelectorAll('tr[data-href]').length`); shown != 100 {
		t.Errorf("the first page of the service has %d", shown)
	}
	b.fits("service")
	b.click(`.eg-more a`)
	b.wait(`a[href="/connections/branch-127"]`)
}
