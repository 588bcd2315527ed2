package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"time"

	gomodule "golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/zip"
)

// pack writes a module's zip file as a module proxy makes it from a revision, and returns
// its go.mod.
func pack(m module, version, revision string, to io.Writer) ([]byte, error) {
	if err := zip.CreateFromVCS(to, gomodule.Version{Path: m.path, Version: version}, ".", revision, m.folder); err != nil {
		return nil, fmt.Errorf("pack %s of %s: %w", m.path, revision, err)
	}
	return exec.Command("git", "show", revision+":"+path.Join(m.folder, "go.mod")).Output() //nolint:gosec // both are the caller's own
}

// proxy writes the files that GOPROXY=file://folder is read from.
func proxy(version, revision, folder string) error {
	for _, m := range modules {
		dir := filepath.Join(folder, filepath.FromSlash(m.path), "@v")
		if err := os.MkdirAll(dir, 0o750); err != nil { //nolint:gosec // the caller names the folder
			return err
		}
		var zipped bytes.Buffer
		mod, err := pack(m, version, revision, &zipped)
		if err != nil {
			return err
		}
		info, err := json.Marshal(map[string]any{"Version": version, "Time": time.Now().UTC()})
		if err != nil {
			return err
		}
		for name, data := range map[string][]byte{
			version + ".zip": zipped.Bytes(), version + ".mod": mod, version + ".info": info, "list": []byte(version + "\n"),
		} {
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil { //nolint:gosec // the caller names the folder
				return err
			}
		}
		fmt.Printf("%s %s: a zip file of %d KiB\n", m.path, version, zipped.Len()>>10)
	}
	return nil
}

// sums writes the checksums of sdk and plugins into the go.sum files of those who require
// them. That of plugins covers its own go.sum, so it is right once that one is committed.
func sums(version, revision string) error {
	var lines []string
	for _, m := range modules {
		name := filepath.Join(m.folder, "go.sum")
		old, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(name, withSums(old, lines), 0o644); err != nil { //nolint:gosec // a go.sum is for everybody
			return err
		}
		more, err := sumLines(m, version, revision)
		if err != nil {
			return err
		}
		lines = append(lines, more...)
	}
	return nil
}

func sumLines(m module, version, revision string) ([]string, error) {
	file, err := os.CreateTemp("", "evergrant-module-*.zip")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.Remove(file.Name()) }()
	mod, err := pack(m, version, revision, file)
	if err != nil {
		return nil, err
	}
	if err := file.Close(); err != nil {
		return nil, err
	}
	whole, err := dirhash.HashZip(file.Name(), dirhash.Hash1)
	if err != nil {
		return nil, err
	}
	ofMod, err := dirhash.Hash1([]string{"go.mod"}, func(string) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(string(mod))), nil
	})
	if err != nil {
		return nil, err
	}
	return []string{
		fmt.Sprintf("%s %s %s", m.path, version, whole),
		fmt.Sprintf("%s %s/go.mod %s", m.path, version, ofMod),
	}, nil
}
