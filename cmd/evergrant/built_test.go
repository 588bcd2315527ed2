package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// builtIn is the folder of the command, which TestMain removes; "" until it was built.
var builtIn string

// buildOnce builds the command for all tests of a run.
var buildOnce = sync.OnceValues(func() (binary string, err error) {
	if builtIn, err = os.MkdirTemp("", "evergrant-command-"); err != nil {
		return "", err
	}
	binary = filepath.Join(builtIn, "evergrant")
	build := exec.Command("go", "build", "-trimpath", "-o", binary, ".") // as scripts/build.sh does, so that little is compiled again
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return binary, fmt.Errorf("build the command: %w\n%s", err, out)
	}
	return binary, nil
})

// built is the command, built once.
func built(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("left out by -short: it links the whole command, which takes longer than all tests of this package")
	}
	binary, err := buildOnce()
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

func TestMain(m *testing.M) {
	code := m.Run()
	if builtIn != "" {
		_ = os.RemoveAll(builtIn)
	}
	os.Exit(code)
}
