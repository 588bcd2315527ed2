package e2e_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// A plugin that is put into the folder of a running hub can be used at once, and
// one that is replaced is used from then on.
func TestAPluginIsTakenUpWithoutARestart(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	r := hubtest.StartHub(t, map[string]any{"plugins.dir": folder})
	providers := func() int {
		var list struct {
			Providers []struct{ Name string } `json:"items"`
		}
		r.Admin.Must(t, "GET", "/api/v1/providers", nil, &list)
		return len(list.Providers)
	}
	if n := providers(); n != 0 {
		t.Fatalf("%d providers in an empty folder", n)
	}
	put := func() {
		data, err := os.ReadFile(filepath.Join(hubtest.PluginsDir, "evergrant-provider-oauth2"))
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, ".new"), data, 0o755)
		}
		if err == nil {
			err = os.Rename(filepath.Join(folder, ".new"), filepath.Join(folder, "evergrant-provider-oauth2"))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	put()
	hubtest.Eventually(t, "the plugin is taken up", func() bool { return providers() == 1 })
	world := hubtest.StartWorld(t, time.Hour)
	connection := r.AddService(t, world.Service("oauth2"))
	r.Authorize(t, connection)
	put()
	r.Admin.Must(t, "POST", "/api/v1/connections/"+connection+"/renew", nil, nil)
	if v := r.View(t, connection); v.Generation != 2 {
		t.Errorf("generation %d after the plugin was replaced", v.Generation)
	}
}
