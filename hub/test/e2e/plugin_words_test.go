package e2e_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// What keeps a plugin from starting is told where people look, in its own words: on its
// page, in the API and by the doctor. What it writes is text to all of them.
func TestAFailedStartIsToldInThePluginsOwnWords(t *testing.T) {
	t.Parallel()
	plugins := t.TempDir()
	program := "#!/bin/sh\necho 'reading <b>settings</b>' >&2\necho 'SettingsError: there is no settings.json' >&2\necho bye >&2\nexit 3\n"
	if err := os.WriteFile(filepath.Join(plugins, "evergrant-provider-broken"), []byte(program), 0o755); err != nil {
		t.Fatal(err)
	}
	r := hubtest.StartHub(t, map[string]any{"plugins.dir": plugins})
	p := r.Installed(t, "broken")
	if want := "reading <b>settings</b>|SettingsError: there is no settings.json|bye"; strings.Join(p.LastWords, "|") != want || p.State != "failed" {
		t.Errorf("the API shows %+v, want the words %s", p, want)
	}
	if !strings.HasSuffix(p.LastError, "; it wrote: SettingsError: there is no settings.json") {
		t.Errorf("its last error is %q", p.LastError)
	}
	status, page, _ := r.Owner(t).Ask(http.MethodGet, "/plugins/broken", nil)
	_, words, _ := strings.Cut(page, `id="last-words"`)
	words, _, _ = strings.Cut(words, "</blockquote>")
	for _, line := range []string{"reading &lt;b&gt;settings&lt;/b&gt;", "SettingsError: there is no settings.json", "bye"} {
		if status != http.StatusOK || !strings.Contains(words, line) {
			t.Errorf("the page (%d) does not show %q: %s", status, line, words)
		}
	}
	found := hubtest.Findings(t, "", map[string]any{"data_dir": r.Dir, "public_url": r.Hub.URL(), "plugins.dir": plugins})
	hubtest.Expect(t, found, "plugins", "fail", "; its last lines: reading <b>settings</b> | SettingsError: there is no settings.json | bye")
}
