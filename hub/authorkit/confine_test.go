package authorkit_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/evergrant/evergrant/hub/authorkit"
	"github.com/evergrant/evergrant/hub/internal/pluginhost/plugintest"
)

// stranger is a hostile plugin that reaches for a folder of the test: its path is written
// into the program, because a plugin in the sandbox is told nothing.
func stranger(t *testing.T) (binary, outside string) {
	builds(t)
	t.Helper()
	outside = t.TempDir()
	binary, err := plugintest.Put(t.TempDir(), "stranger", "hub/authorkit/testdata/stranger")
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	place := bytes.Repeat([]byte("@"), 256)
	if n := bytes.Count(program, place); n != 1 || len(outside) > len(place) {
		t.Fatalf("the program has %d places for a path of %d letters", n, len(outside))
	}
	program = bytes.Replace(program, place[:len(outside)], []byte(outside), 1)
	if err := os.WriteFile(binary, program, 0o755); err != nil {
		t.Fatal(err)
	}
	return binary, outside
}

func written(t *testing.T, dir string) int {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

func TestAStrangersPluginIsTestedAndPackedInTheSandbox(t *testing.T) {
	binary, outside := stranger(t)
	report, err := authorkit.Test(t.Context(), binary, authorkit.Fixtures{})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(report.Failed(), "no-secret-in-logs") {
		t.Errorf("it prints the client secret to standard error, and what failed is %v", report.Failed())
	}
	if n := written(t, outside); n != 0 {
		t.Errorf("tested, it left %d files outside of its folder", n)
	}
	packing := authorkit.Packing{Binary: binary, Version: "1.0.0", Out: filepath.Join(t.TempDir(), "stranger.evergrant-plugin")}
	if _, err := authorkit.Pack(t.Context(), packing); err != nil {
		t.Fatal(err)
	}
	if n := written(t, outside); n != 0 {
		t.Errorf("packed, it left %d files outside of its folder", n)
	}
	packing.Unconfined = true
	if _, err := authorkit.Pack(t.Context(), packing); err != nil {
		t.Fatal(err)
	}
	if written(t, outside) == 0 {
		t.Error("unconfined it leaves nothing either, so this test proves nothing")
	}
}

func TestLinksThatNpmMakesAreLeftOutOfAPackage(t *testing.T) {
	binary, _ := stranger(t)
	files := t.TempDir()
	commands := filepath.Join(files, "node_modules", ".bin")
	kept := filepath.Join(files, "node_modules", "left-pad")
	for _, dir := range []string{commands, kept} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(kept, "index.js"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../left-pad/index.js", filepath.Join(commands, "left-pad")); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "stranger.evergrant-plugin")
	if _, err := authorkit.Pack(t.Context(), authorkit.Packing{Binary: binary, Files: files, Version: "1.0.0", Out: out}); err != nil {
		t.Fatal(err)
	}
	v, err := authorkit.Verify(out, "")
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, f := range v.Manifest.Files {
		paths = append(paths, f.Path)
	}
	if want := []string{"evergrant-provider-stranger", "node_modules/left-pad/index.js"}; !slices.Equal(paths, want) {
		t.Errorf("packed %v, want %v", paths, want)
	}
}
