package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
)

// edit writes each go.mod as it is released: it requires its siblings at the version, and
// has neither replace nor exclude, with which `go install` refuses a module.
func edit(version string) error {
	for _, m := range modules {
		file := filepath.Join(m.folder, "go.mod")
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		released, err := releasedMod(file, data, version)
		if err != nil {
			return err
		}
		if err := os.WriteFile(file, released, 0o644); err != nil { //nolint:gosec // a go.mod is for everybody
			return err
		}
	}
	return nil
}

func releasedMod(name string, data []byte, version string) ([]byte, error) {
	f, err := modfile.Parse(name, data, nil)
	if err != nil {
		return nil, err
	}
	for _, r := range f.Require {
		if ours(r.Mod.Path) {
			r.Syntax.Token[slices.Index(r.Syntax.Token, r.Mod.Version)] = version
		}
	}
	for _, r := range slices.Clone(f.Replace) {
		if !ours(r.Old.Path) {
			return nil, fmt.Errorf("%s replaces %s, which is none of the modules here: nobody who depends on it gets that", name, r.Old.Path)
		}
		if err := f.DropReplace(r.Old.Path, r.Old.Version); err != nil {
			return nil, err
		}
	}
	for _, e := range slices.Clone(f.Exclude) {
		if err := f.DropExclude(e.Mod.Path, e.Mod.Version); err != nil {
			return nil, err
		}
	}
	f.Cleanup()
	return f.Format()
}

// ours tells whether a module is released with the others.
func ours(path string) bool {
	return slices.ContainsFunc(modules, func(m module) bool { return m.path == path })
}

// withSums returns a go.sum in which the modules that are released have these lines and no others.
func withSums(sum []byte, lines []string) []byte {
	kept := slices.Clone(lines)
	for line := range strings.Lines(string(sum)) {
		if path, _, _ := strings.Cut(line, " "); !ours(path) {
			kept = append(kept, strings.TrimSuffix(line, "\n"))
		}
	}
	slices.Sort(kept)
	return []byte(strings.Join(kept, "\n") + "\n")
}
