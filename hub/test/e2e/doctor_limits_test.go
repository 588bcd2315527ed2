package e2e_test

import (
	"testing"

	"github.com/evergrant/evergrant/hub/internal/pluginhost/plugintest"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// The doctor grants a plugin what the hub would: one that asks for more than the contract's own
// limits is well, and one that asks for more than the configuration grants is told of.
func TestDoctorGrantsPluginsWhatTheHubGrants(t *testing.T) {
	t.Parallel()
	folder := storetest.Folder(t)
	if _, err := plugintest.Put(folder, "asking", "hub/test/e2e/testdata/asking"); err != nil {
		t.Fatal(err)
	}
	flags := map[string]any{"data_dir": t.TempDir(), "plugins.dir": folder}
	for _, f := range hubtest.Findings(t, "", flags) {
		if f.Check == "plugins" && f.Level == "fail" {
			t.Errorf("%+v", f)
		}
	}
	flags["plugins.max_steps"] = 8
	hubtest.Expect(t, hubtest.Findings(t, "", flags), "plugins", "fail", "plugins.max_steps")
}
