package browser_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/hub/test/hubtest"
	"github.com/evergrant/evergrant/plugins/logins/loginstest"
)

// A table of logins is tried while it is imported: all or nothing first, of which nothing
// comes into use, then row by row. The choice and the reasons are read in both languages,
// on a phone as well.
func TestAnImportIsTriedAsItsPageSays(t *testing.T) {
	t.Parallel()
	r := hubtest.StartHub(t, nil)
	r.Owner(t)
	server := loginstest.New("anna", "first-password")
	address, err := server.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	r.Admin.Must(t, "POST", "/api/v1/services", map[string]any{
		"name": "kassa", "title": "Kassa", "provider": "taxcom-login", "options": map[string]any{"server": address, "integrator_id": "our-id-123"},
	}, nil)
	b := hubtest.StartBrowser(t, 1440, 900)
	b.LogIn(r, "owner")
	for lang, words := range map[string]string{"ru": "Всё или ничего", "en": "All or nothing"} {
		for _, width := range widths {
			speakOf(b, r.Hub.URL()+"/connections/import", lang, width)
			b.See(words)
			inBounds(b, "the choices of an import")
			hubtest.Script[bool](b, "document.getElementById('import-try').scrollIntoView(), true")
			snap(b, fmt.Sprintf("import-try-%s-%d", lang, width))
		}
	}
	table := "service,name,title,field.login,field.password\nkassa,good,Good,anna,first-password\nkassa,bad,Bad,anna,leak-me-not\n"
	run := func(try string) {
		t.Helper()
		b.Open(r.Hub.URL() + "/connections/import")
		b.Wait(`[name="table"]`)
		hubtest.Script[bool](b, "document.querySelector('[name=table]').value = `"+table+"`, true")
		b.Click(`#import-try input[value="` + try + `"]`)
		b.Click(`form[action="/connections/import/table"] button[type=submit]`)
		b.Wait("#run")
		hubtest.Eventually(t, "the import is over", func() bool { return has(b, "#run") && !has(b, "#run[hx-get]") })
	}
	counted := func() int {
		t.Helper()
		var list struct{ Items []struct{ Name string } }
		r.Admin.Must(t, "GET", "/api/v1/connections?service=kassa", nil, &list)
		return len(list.Items)
	}
	run("all")
	if n := counted(); n != 0 {
		t.Errorf("%d connections of an import of all or nothing are in use", n)
	}
	for _, lang := range []string{"ru", "en"} {
		for _, width := range widths {
			speakOf(b, b.Address(), lang, width)
			inBounds(b, "the result of an import that was tried")
			snap(b, fmt.Sprintf("import-all-%s-%d", lang, width))
		}
	}
	if html := hubtest.Script[string](b, "document.documentElement.outerHTML"); len(html) == 0 || strings.Contains(html, "leak-me-not") || strings.Contains(html, "first-password") {
		t.Error("a password is in the page of the result")
	}
	run("rows")
	if n := counted(); n != 2 {
		t.Errorf("%d connections of two rows are there", n)
	}
	if got := r.Key(t, "good").Pull(t, "good"); got.AccessToken == "" {
		t.Error("the good row has no token")
	}
	snap(b, "import-rows")
}
