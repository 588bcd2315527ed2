package main

import (
	"debug/buildinfo"
	"os/exec"
	"runtime/debug"
	"strings"
	"testing"
)

func TestTheVersionIsToldByTheUsualFlag(t *testing.T) {
	binary := built(t)
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	want := "evergrant " + versionOf("", info) + "\n"
	out, err := exec.CommandContext(t.Context(), binary, "--version").Output()
	if err != nil || string(out) != want {
		t.Errorf("it says %q, %v, not %q", out, err, want)
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
