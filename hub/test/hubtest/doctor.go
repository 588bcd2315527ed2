package hubtest

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/hub"
)

// Findings runs the doctor on a configuration.
func Findings(t *testing.T, clockURL string, flags map[string]any) []hub.Finding {
	t.Helper()
	all := map[string]any{"plugins.dir": PluginsDir}
	maps.Copy(all, flags)
	cfg, err := hub.LoadConfig("", nil, all)
	if err != nil {
		t.Fatal(err)
	}
	found, failed := hub.Doctor(t.Context(), cfg, clockURL)
	for _, f := range found {
		if f.Level == "fail" {
			failed--
		}
		if f.Check == "" || f.What == "" || f.Level != "ok" && f.Level != "warn" && f.Level != "fail" {
			t.Errorf("a finding lacks something: %+v", f)
		}
	}
	if failed != 0 {
		t.Errorf("the count of failures is wrong by %d", failed)
	}
	return found
}

// Expect looks for a finding of a level that holds a text.
func Expect(t *testing.T, found []hub.Finding, check, level, text string) {
	t.Helper()
	for _, f := range found {
		if f.Check == check && string(f.Level) == level && strings.Contains(f.What, text) {
			return
		}
	}
	data, _ := json.MarshalIndent(found, "", " ")
	t.Errorf("no %s of %s says %q:\n%s", level, check, text, data)
}
