package authorkit_test

import (
	"slices"
	"testing"

	"github.com/evergrant/evergrant/hub/authorkit"
	"github.com/evergrant/evergrant/hub/internal/pluginhost/plugintest"
)

// A built plugin that breaks a promise fails the suite, by the check of that promise
// and no other.
func TestTheSuiteFailsABuiltPluginThatIsCareless(t *testing.T) {
	builds(t)
	binary, err := plugintest.Put(t.TempDir(), "careless", "hub/authorkit/testdata/careless")
	if err != nil {
		t.Fatal(err)
	}
	for fault, check := range map[string]string{
		"none": "", "multiply": "lifetime", "drop": "lifetime", "extra": "small-extra",
		"print": "no-secret-in-logs", "print-base64": "no-secret-in-logs", "print-in-two-writes": "no-secret-in-logs",
	} {
		report, err := authorkit.Test(t.Context(), binary, authorkit.Fixtures{Options: map[string]any{"fault": fault}})
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		if check != "" {
			want = []string{check}
		}
		if got := report.Failed(); !slices.Equal(got, want) {
			t.Errorf("%s: failed %v, want %v", fault, got, want)
		}
	}
}
