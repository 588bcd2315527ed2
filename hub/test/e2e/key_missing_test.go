package e2e_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub"
	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// filesOf lists a folder with the sizes of its files.
func filesOf(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err == nil && !entry.IsDir() {
			all.WriteString(path + " " + info.ModTime().String() + "\n")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

func TestNoKeyIsMadeBesideADatabaseThatHasOne(t *testing.T) {
	t.Parallel()
	r := hubtest.StartHub(t, nil)
	r.AddService(t, hubtest.StartWorld(t, time.Hour).Service("oauth2"))
	r.Hub.Stop(t.Context())
	key := filepath.Join(r.Dir, "evergrant.key")
	start := func() error {
		cfg, err := hub.LoadConfig("", nil, map[string]any{"listen": "127.0.0.1:0", "data_dir": r.Dir, "plugins.dir": hubtest.PluginsDir})
		if err != nil {
			t.Fatal(err)
		}
		h, err := hub.Start(t.Context(), cfg, hub.Options{})
		if err == nil {
			h.Stop(t.Context())
		}
		return err
	}
	if err := os.Rename(key, key+".copy"); err != nil {
		t.Fatal(err)
	}
	before := filesOf(t, r.Dir)
	if err := start(); err == nil || !strings.Contains(err.Error(), "there is no key at "+key) || !strings.Contains(err.Error(), "put the copy of that key there") {
		t.Errorf("without its key: %v", err)
	}
	if after := filesOf(t, r.Dir); after != before {
		t.Errorf("something was written:\n%s\nbefore:\n%s", after, before)
	}
	if err := os.WriteFile(key, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := start(); err == nil || !strings.Contains(err.Error(), "restore it from a backup") {
		t.Errorf("with an empty key: %v", err)
	}
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	if err := hub.CreateKey(key); err != nil {
		t.Fatal(err)
	}
	if err := start(); err == nil || !strings.Contains(err.Error(), "put the key back that this database was used with") {
		t.Errorf("with another key: %v", err)
	}
	if err := os.Rename(key+".copy", key); err != nil {
		t.Fatal(err)
	}
	if err := start(); err != nil {
		t.Errorf("with its key again: %v", err)
	}
}
