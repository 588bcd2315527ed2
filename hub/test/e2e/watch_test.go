package hub_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A plugin that is put into the folder of a running hub can be used at once, and
// one that is replaced is used from then on.
func TestAPluginIsTakenUpWithoutARestart(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	r := startHub(t, map[string]any{"plugins.dir": folder})
	providers := func() int {
		var list struct {
			Providers []struct{ Name string } `json:"items"`
		}
		r.admin.must(t, "GET", "/api/v1/providers", nil, &list)
		return len(list.Providers)
	}
	if n := providers(); n != 0 {
		t.Fatalf("%d providers in an empty folder", n)
	}
	put := func() {
		data, err := os.ReadFile(filepath.Join(pluginsDir, "evergrant-provider-oauth2"))
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
	eventually(t, "the plugin is taken up", func() bool { return providers() == 1 })
	world := startWorld(t, time.Hour)
	connection := r.addService(t, world.Service("oauth2"))
	r.authorise(t, connection)
	put()
	r.admin.must(t, "POST", "/api/v1/connections/"+connection+"/renew", nil, nil)
	if v := r.view(t, connection); v.Generation != 2 {
		t.Errorf("generation %d after the plugin was replaced", v.Generation)
	}
}
