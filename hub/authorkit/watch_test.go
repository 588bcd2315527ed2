package authorkit_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/hub/authorkit"
)

// developed is what `plugin dev` says of a source once it has built it.
func developed(t *testing.T, source, pluginsDir string, unconfined bool) (said string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	heard := make(chan string, 16)
	done := make(chan error)
	go func() {
		done <- authorkit.Watch(ctx, authorkit.Watching{
			Source: source, PluginsDir: pluginsDir, Unconfined: unconfined,
			Say: func(format string, args ...any) { heard <- fmt.Sprintf(format, args...) },
		})
	}()
	select {
	case said = <-heard:
	case err := <-done:
		t.Fatalf("it ended: %v", err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	return said
}

func TestWhatDevBuildsIsTriedInTheSandbox(t *testing.T) {
	builds(t)
	outside, plugins := t.TempDir(), t.TempDir()
	t.Setenv("GOFLAGS", "-ldflags=-X=main.outside="+outside)
	if said := developed(t, "testdata/stranger", plugins, false); !strings.Contains(said, "built evergrant-provider-stranger") {
		t.Fatal(said)
	}
	if n := written(t, outside); n != 0 {
		t.Errorf("tried, it left %d files outside of its folder", n)
	}
	if n := written(t, plugins); n != 1 {
		t.Errorf("%d files are in the hub's folder", n)
	}
	developed(t, "testdata/stranger", plugins, true)
	if written(t, outside) == 0 {
		t.Error("unconfined it leaves nothing either, so this test proves nothing")
	}
}

// A build that does not start keeps the running plugin, and says why in its own words.
func TestWhatDevCannotStartDoesNotReachTheHub(t *testing.T) {
	builds(t)
	for _, unconfined := range []bool{false, true} {
		plugins := t.TempDir()
		running := filepath.Join(plugins, "evergrant-provider-careless")
		if err := os.WriteFile(running, []byte("the one that runs"), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Setenv("GOFLAGS", "-ldflags=-X=main.refuses=no-luck")
		said := developed(t, "testdata/careless", plugins, unconfined)
		if !strings.Contains(said, "does not start, so the running plugin stays") || !strings.Contains(said, "panic: no-luck") {
			t.Error(said)
		}
		if kept, err := os.ReadFile(running); err != nil || string(kept) != "the one that runs" || written(t, plugins) != 1 {
			t.Errorf("the hub's folder has %q, %v", kept, err)
		}
	}
}

// A folder of somebody else may tell git, which go asks for a version, to run programs.
func TestDevRunsNothingThatTheFolderOfTheSourceNames(t *testing.T) {
	builds(t)
	source, outside := scaffolded(t, "borrowed"), t.TempDir()
	program := filepath.Join(t.TempDir(), "monitor")
	if err := os.WriteFile(program, []byte("#!/bin/sh\ntouch "+outside+"/ran\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	command(t, source, "git", "init", "--quiet")
	command(t, source, "git", "config", "core.fsmonitor", program)
	t.Setenv("GOWORK", "off")
	t.Setenv("GOENV", "off") // whoever tests may have switched it off
	if said := developed(t, source, t.TempDir(), false); !strings.Contains(said, "built") {
		t.Fatal(said)
	}
	if written(t, outside) != 0 {
		t.Error("a program that the folder names was run")
	}
	command(t, source, "git", "status", "--short")
	if written(t, outside) == 0 {
		t.Error("git does not run it either, so this test proves nothing")
	}
}
