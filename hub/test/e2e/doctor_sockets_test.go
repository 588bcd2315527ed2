package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/hub"
	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// As under a read-only root: the temporary folder cannot be written.
func TestPluginsRunWithoutATemporaryFolder(t *testing.T) {
	t.Setenv("TMPDIR", "/proc/nowhere")
	run, err := os.MkdirTemp("/tmp", "eg") //nolint:usetesting // sockets need a short path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(run) })
	dir := filepath.Join(run, "data")
	flags := map[string]any{"listen": "127.0.0.1:0", "data_dir": dir, "plugins.dir": hubtest.PluginsDir}
	cfg, err := hub.LoadConfig("", nil, flags)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := hub.Start(t.Context(), cfg, hub.Options{Version: "test"}); err == nil || !strings.Contains(err.Error(), "plugins.runtime_dir") {
		t.Fatalf("without the option: %v", err)
	}
	for _, f := range hubtest.Findings(t, "", map[string]any{"data_dir": dir}) {
		if f.Check == "plugins" && (f.Level != "fail" || !strings.Contains(f.Do, "plugins.runtime_dir")) {
			t.Errorf("%+v", f)
		}
	}

	flags["plugins.runtime_dir"] = filepath.Join(run, "sockets")
	r := hubtest.StartHubIn(t, dir, flags)
	var plugins struct{ Items []struct{ Name string } }
	if r.Admin.Must(t, "GET", "/api/v1/plugins", nil, &plugins); len(plugins.Items) == 0 {
		t.Fatal("the hub has no plugins")
	}
	// The hub that runs holds the folder; a look beside it does not need it.
	for _, f := range hubtest.Findings(t, "", map[string]any{"data_dir": dir, "plugins.runtime_dir": flags["plugins.runtime_dir"]}) {
		if f.Check == "plugins" && f.Level == "fail" {
			t.Errorf("%+v", f)
		}
	}
}
