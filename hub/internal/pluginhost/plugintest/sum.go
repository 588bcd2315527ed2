package plugintest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// sumOf is the sum of everything that a plugin's program can be built from: its folder, the
// modules that plugins may import, folders that it names, the versions of all other modules,
// and Go's.
func sumOf(root, source string, more ...string) (string, error) {
	sum := sha256.New()
	_, _ = fmt.Fprintln(sum, source, runtime.Version(), runtime.GOOS, runtime.GOARCH) // a hash takes everything
	add := func(path string) error {
		data, err := os.ReadFile(path)
		_, _ = fmt.Fprintln(sum, path, len(data))
		_, _ = sum.Write(data)
		return err
	}
	for _, file := range []string{"go.mod", "go.sum", "go.work", "go.work.sum"} {
		if err := add(filepath.Join(root, file)); err != nil {
			return "", err
		}
	}
	for _, folder := range append([]string{source, "sdk", "plugins"}, more...) {
		at := filepath.Join(root, folder)
		err := filepath.WalkDir(at, func(path string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case entry.IsDir() && path != at && skipped[entry.Name()]:
				return fs.SkipDir
			case !entry.Type().IsRegular() || strings.HasSuffix(path, "_test.go"):
				return nil
			}
			return add(path)
		})
		if err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// skipped are folders that no program is built from.
var skipped = map[string]bool{"node_modules": true, "testdata": true}
