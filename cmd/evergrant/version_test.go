package main

import (
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
)

func TestTheVersionIsToldByTheUsualFlag(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "evergrant")
	for flags, want := range map[string]string{
		"":                       "evergrant dev\n",
		"-X=main.version=v1.2.3": "evergrant v1.2.3\n",
	} {
		// What git says of this tree is another one's in each working copy.
		build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-ldflags="+flags, "-o", binary, ".")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		out, err := exec.CommandContext(t.Context(), binary, "--version").Output()
		if err != nil || string(out) != want {
			t.Errorf("built with %q it says %q, %v, not %q", flags, out, err, want)
		}
	}
}

func TestABuildWithoutASetVersionSaysWhatItKnows(t *testing.T) {
	info := func(version string, settings ...debug.BuildSetting) *debug.BuildInfo {
		return &debug.BuildInfo{Main: debug.Module{Version: version}, Settings: settings}
	}
	revision := debug.BuildSetting{Key: "vcs.revision", Value: strings.Repeat("97d704f2", 5)}
	for want, got := range map[string]string{
		"v2.0.0":                 versionOf("v2.0.0", info("v1.2.3")),
		"v1.2.3":                 versionOf("", info("v1.2.3")),
		"dev":                    versionOf("", info("(devel)")),
		"dev-97d704f297d7":       versionOf("", info("(devel)", revision)),
		"dev-97d704f297d7-dirty": versionOf("", info("(devel)", revision, debug.BuildSetting{Key: "vcs.modified", Value: "true"})),
	} {
		if got != want {
			t.Errorf("%s, not %s", got, want)
		}
	}
}
