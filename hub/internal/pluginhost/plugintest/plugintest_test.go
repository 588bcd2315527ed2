package plugintest_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/evergrant/evergrant/hub/internal/pluginhost/plugintest"
)

// Many ask at once; one build serves them all, and what they get runs.
func TestAProgramIsBuiltOnceForAllWhoAsk(t *testing.T) {
	t.Parallel()
	programs := make([]string, 8)
	var all sync.WaitGroup
	for n := range programs {
		all.Go(func() {
			program, err := plugintest.Build("plugins/google")
			if err != nil {
				t.Error(err)
			}
			programs[n] = program
		})
	}
	all.Wait()
	first, err := os.Stat(programs[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, program := range programs {
		if program != programs[0] {
			t.Errorf("%s and %s are of the same code", program, programs[0])
		}
	}
	again, err := plugintest.Build("plugins/google")
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(again); err != nil || !os.SameFile(first, info) || !info.ModTime().Equal(first.ModTime()) {
		t.Errorf("it was built again: %v", err)
	}
}

func TestAPluginIsACopyUnderItsName(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, err := plugintest.Put(dir, "calendar", "plugins/google")
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || path != filepath.Join(dir, "evergrant-provider-calendar") || info.Mode().Perm()&0o111 == 0 {
		t.Errorf("%s: %v %v", path, info, err)
	}
}

func TestWhatCannotBeBuiltSaysWhy(t *testing.T) {
	t.Parallel()
	if _, err := plugintest.Build("plugins/nothing"); err == nil {
		t.Error("a folder that is not there was built")
	}
}
