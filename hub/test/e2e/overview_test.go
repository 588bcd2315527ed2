package hub_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The overview says that all plugins are well, or which one is not and what it said.
func TestTheOverviewTellsHowPluginsAre(t *testing.T) {
	t.Parallel()
	const name = "evergrant-provider-oauth2"
	program, err := os.ReadFile(filepath.Join(pluginsDir, name))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name string, content []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(name, program)
	overview := func() string {
		r := startHub(t, map[string]any{"plugins.dir": dir})
		r.addService(t, startWorld(t, time.Hour).Service("oauth2"))
		_, page, _ := r.owner(t).ask("GET", "/", nil)
		return page
	}
	if page := overview(); !strings.Contains(page, "1 plugin, and it is well") || strings.Contains(page, "Plugins that do not run") {
		t.Errorf("one plugin that works: %s", page)
	}
	write("evergrant-provider-broken", []byte("#!/bin/sh\necho no plugin\n"))
	if page := overview(); strings.Contains(page, "well</a>") || !strings.Contains(page, "Plugins that do not run") || !strings.Contains(page, `href="/plugins/broken"`) {
		t.Errorf("one of two plugins does not run: %s", page)
	}
}
