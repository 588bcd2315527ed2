package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// The overview says that all plugins are well, or which one is not and what it said.
func TestTheOverviewTellsHowPluginsAre(t *testing.T) {
	t.Parallel()
	const name = "evergrant-provider-oauth2"
	program, err := os.ReadFile(filepath.Join(hubtest.PluginsDir, name))
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
		r := hubtest.StartHub(t, map[string]any{"plugins.dir": dir})
		r.AddService(t, hubtest.StartWorld(t, time.Hour).Service("oauth2"))
		_, page, _ := r.Owner(t).Ask("GET", "/", nil)
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
