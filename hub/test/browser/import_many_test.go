package hub_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// A table of 5,000 rows is imported with its progress shown, can be stopped, has pages of
// results, and what was not imported is filled in again; a reload imports nothing twice.
func TestAnImportOfFiveThousandShowsHowItGoes(t *testing.T) {
	t.Parallel()
	world := startWorld(t, time.Hour)
	r := startHub(t, nil)
	r.owner(t)
	s := world.Service("google-calendar")
	connection := r.addService(t, s)
	service := r.serviceOf(t, connection)
	var table strings.Builder
	table.WriteString("service,name,title,access_token,expires_at\n")
	const rows = 5000
	for i := range rows {
		from := service
		if i%1000 == 999 {
			from = "nowhere"
		}
		fmt.Fprintf(&table, "%s,row-%04d,Row %d,token-%d,%d\n", from, i, i, i, time.Now().Add(time.Hour).Unix())
	}
	says := map[string][]string{
		"en": {"done", "failed", "There is no service of that name.", "line 1001", "Mend and import the 5 that are left"},
		"ru": {"готово", "не удалось", "Сервиса с таким именем нет.", "строка 1001", "Исправить и импортировать оставшиеся 5"},
	}
	b := startBrowser(t, 1440, 900)
	b.logIn(r, "owner")
	b.speakOf(r.hub.URL()+"/connections/import", "en", 1440)
	b.wait(`[name="table"]`)
	script[bool](b, "document.querySelector('[name=table]').value = `"+table.String()+"`, true")
	began := time.Now()
	b.click(`form[action="/connections/import/table"] button[type=submit]`)
	b.wait("#run")
	t.Logf("the page of the run is there after %s", time.Since(began).Round(time.Millisecond))
	if !b.has("#run[hx-get]") {
		t.Error("the run was over before its page was shown: nothing was seen of how it goes")
	}
	b.snap("import-goes")
	run := b.address()
	b.open(run) // as a reload
	eventuallyMoving(t, "the import is over", func() string { return b.text("#run") },
		func() bool { return b.has("#run") && !b.has("#run[hx-get]") })
	t.Logf("imported in %s", time.Since(began).Round(time.Millisecond))
	for _, lang := range []string{"ru", "en"} {
		for _, width := range widths {
			b.speakOf(run, lang, width)
			for _, words := range says[lang] {
				b.see(words)
			}
			if n := script[int](b, "document.querySelectorAll('#run tbody tr').length"); n != 200 {
				t.Errorf("the page has %d of %d rows", n, rows)
			}
			b.inBounds("the result of an import")
			b.snap("import-" + lang + fmt.Sprint(width))
		}
	}
	var counted struct{ Total int }
	r.admin.must(t, "GET", "/api/v1/connections?limit=1&service="+service, nil, &counted)
	b.click("#rest")
	eventually(t, "what is left is filled in", func() bool {
		return script[int](b, `(document.querySelector('[name=table]')?.value ?? '').trim().split('\n').length`) == 6
	})
	if left := b.value("table"); !strings.Contains(left, "row-0999") || strings.Contains(left, "row-0998") {
		t.Errorf("filled in is %.200s", left)
	}
}
