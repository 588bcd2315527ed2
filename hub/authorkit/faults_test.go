package authorkit_test

import (
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/evergrant/evergrant/hub/authorkit"
)

// A built plugin that breaks a promise fails the suite, by the check of that promise
// and no other.
func TestTheSuiteFailsABuiltPluginThatIsCareless(t *testing.T) {
	builds(t)
	binary := filepath.Join(t.TempDir(), "evergrant-provider-careless")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./testdata/careless")
	build.Env = append(build.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
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
