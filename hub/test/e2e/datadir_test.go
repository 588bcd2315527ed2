package e2e_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// A data folder that was open to others, as a package manager or a volume makes them, is
// said, and what the hub keeps in it is closed.
func TestOthersCannotReadWhatTheHubKeeps(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := hubtest.StartHub(t, map[string]any{"data_dir": dir})
	first.Hub.Stop(t.Context())
	open := map[string]fs.FileMode{".": 0o777, "evergrant.db": 0o644, "journal": 0o755, "installed": 0o755, "pulls": 0o755}
	for name, mode := range open {
		if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	found := hubtest.Findings(t, "", map[string]any{"data_dir": dir})
	hubtest.Expect(t, found, "data_dir", "fail", "others may write into")
	hubtest.Expect(t, found, "data_dir", "fail", "others can read "+filepath.Join(dir, "evergrant.db"))

	again := hubtest.StartHub(t, map[string]any{"data_dir": dir})
	if log := again.Log.String(); !strings.Contains(log, "data folder was writable by others") || !strings.Contains(log, "data folder is readable by others") {
		t.Error("the log does not say that the data folder was open")
	}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || strings.Contains(path, "installed/") {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		allowed := fs.FileMode(0o700)
		if path == dir {
			allowed = 0o755 // the operator's own
		}
		if info.Mode().Perm()&^allowed != 0 {
			t.Errorf("%s has mode %04o", path, info.Mode().Perm())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTheHubMakesItsFoldersForItselfAlone(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	hubtest.StartHub(t, map[string]any{"data_dir": dir})
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %04o", path, info.Mode().Perm())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
