package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheDemoDoesNotMoveIntoARealHubsFolder(t *testing.T) {
	dir := t.TempDir()
	secret, err := demoSecret(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "evergrant.db"), nil, 0o600); err != nil { // of its own hub
		t.Fatal(err)
	}
	if again, err := demoSecret(dir); err != nil || again != secret {
		t.Errorf("at its next start it has %q for %q: %v", again, secret, err)
	}

	foreign := t.TempDir()
	if err := os.WriteFile(filepath.Join(foreign, "evergrant.db"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := demoSecret(foreign); err == nil || !strings.Contains(err.Error(), "--data-dir") {
		t.Errorf("in a real hub's folder: %v", err)
	}
	if _, err := os.Stat(filepath.Join(foreign, demoMark)); err == nil {
		t.Error("something was written into a real hub's folder")
	}
}
