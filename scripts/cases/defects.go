package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// defect is a fault that is planted to see that a test notices it.
type defect struct {
	// Name says what a hub with it would allow.
	Name string `json:"name"`
	// In File, Old (which stands there once) is replaced by New.
	File string `json:"file"`
	Old  string `json:"old"`
	New  string `json:"new"`
	// Package and Test are who has to notice.
	Package string `json:"package"`
	Test    string `json:"test"`
}

// plantAll plants each defect by itself, in an overlay: no file of the tree is touched.
func plantAll(list, only string) {
	data, err := os.ReadFile(list)
	if err != nil {
		fatal(err)
	}
	var defects []defect
	if err := json.Unmarshal(data, &defects); err != nil {
		fatal(err)
	}
	planted, caught := 0, 0
	for _, d := range defects {
		if !strings.Contains(d.Name, only) {
			continue
		}
		planted++
		noticed, err := d.plant()
		result := "NOT NOTICED"
		switch {
		case err != nil: // counts as one that nobody notices
			fmt.Fprintf(os.Stderr, "%s: %v\n", d.Name, err)
			result = "NOT PLANTED"
		case noticed:
			caught++
			result = "noticed"
		}
		fmt.Printf("%-11s %s (%s %s)\n", result, d.Name, d.Package, d.Test)
	}
	fmt.Printf("defects: %d planted, %d noticed\n", planted, caught)
	if planted == 0 || caught != planted {
		os.Exit(1)
	}
}

// plant reports whether the test fails with the defect. A defect that does not compile is
// an error: it would prove nothing.
func (d defect) plant() (noticed bool, err error) {
	source, err := os.ReadFile(d.File)
	if err != nil {
		return false, err
	}
	if n := strings.Count(string(source), d.Old); n != 1 {
		return false, fmt.Errorf("what it replaces stands %d times in %s", n, d.File)
	}
	dir, err := os.MkdirTemp("", "evergrant-defect-")
	if err != nil {
		return false, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	spoilt, overlay := filepath.Join(dir, filepath.Base(d.File)), filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(spoilt, []byte(strings.Replace(string(source), d.Old, d.New, 1)), 0o600); err != nil { //nolint:gosec // G703: into a folder of its own
		return false, err
	}
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {d.File: spoilt}})
	if err != nil {
		return false, err
	}
	if err := os.WriteFile(overlay, replace, 0o600); err != nil {
		return false, err
	}
	if out, err := output("build", "-overlay="+overlay, "./"+filepath.Dir(d.File)); err != nil {
		return false, fmt.Errorf("it does not compile: %w\n%s", err, out)
	}
	out, err := output("test", "-count=1", "-timeout=10m", "-overlay="+overlay, "-run", "^"+d.Test+"$", folder(d.Package))
	if strings.Contains(out, "no tests to run") {
		return false, fmt.Errorf("there is no test %s", d.Test)
	}
	return err != nil, nil
}

// output is what a command of go prints.
func output(args ...string) (string, error) {
	cmd := command("go", args...)
	cmd.Stdout, cmd.Stderr = nil, nil
	out, err := cmd.CombinedOutput()
	return string(out), err
}
