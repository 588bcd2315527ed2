package browser_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// A table of 5,000 rows is imported with its progress shown, can be stopped, has pages of
// results, and what was not imported is filled in again; a reload imports nothing twice.
func TestAnImportOfFiveThousandShowsHowItGoes(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	r.Owner(t)
	s := world.Service("google-calendar")
	connection := r.AddService(t, s)
	service := r.ServiceOf(t, connection)
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
	b := hubtest.StartBrowser(t, 1440, 900)
	b.LogIn(r, "owner")
	speakOf(b, r.Hub.URL()+"/connections/import", "en", 1440)
	b.Wait(`[name="table"]`)
	hubtest.Script[bool](b, "document.querySelector('[name=table]').value = `"+table.String()+"`, true")
	began := time.Now()
	b.Click(`form[action="/connections/import/table"] button[type=submit]`)
	b.Wait("#run")
	t.Logf("the page of the run is there after %s", time.Since(began).Round(time.Millisecond))
	if !has(b, "#run[hx-get]") {
		t.Error("the run was over before its page was shown: nothing was seen of how it goes")
	}
	snap(b, "import-goes")
	run := b.Address()
	b.Open(run) // as a reload
	hubtest.EventuallyMoving(t, "the import is over", func() string { return b.Text("#run") },
		func() bool { return has(b, "#run") && !has(b, "#run[hx-get]") })
	t.Logf("imported in %s", time.Since(began).Round(time.Millisecond))
	for _, lang := range []string{"ru", "en"} {
		for _, width := range widths {
			speakOf(b, run, lang, width)
			for _, words := range says[lang] {
				b.See(words)
			}
			if n := hubtest.Script[int](b, "document.querySelectorAll('#run tbody tr').length"); n != 200 {
				t.Errorf("the page has %d of %d rows", n, rows)
			}
			inBounds(b, "the result of an import")
			snap(b, "import-"+lang+fmt.Sprint(width))
		}
	}
	b.Click("#rest")
	hubtest.Eventually(t, "what is left is filled in", func() bool {
		return hubtest.Script[int](b, `(document.querySelector('[name=table]')?.value ?? '').trim().split('\n').length`) == 6
	})
	if left := value(b, "table"); !strings.Contains(left, "row-0999") || strings.Contains(left, "row-0998") {
		t.Errorf("filled in is %.200s", left)
	}
}
