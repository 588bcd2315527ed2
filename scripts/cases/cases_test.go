package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A page that names a test that is gone, or a package that it is not in, would be found
// out only by a run that takes half an hour.
func TestThePagesNameTestsThatAreThere(t *testing.T) {
	t.Chdir("../..")
	for _, page := range []string{hostPage, threatPage} {
		data, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		cases := read(strings.Split(string(data), "\n"))
		if len(cases) < 40 {
			t.Errorf("%s has only %d cases", page, len(cases))
		}
		for word, names := range wanted(cases) {
			if word == "chaos" {
				continue
			}
			source := sourceOf(t, folder(word))
			for _, name := range names {
				if !strings.Contains(source, "func "+name+"(") {
					t.Errorf("%s names %s %s, which is not there", page, word, name)
				}
			}
		}
	}
}

// A defect that cannot be planted any more proves nothing.
func TestEveryDefectCanBePlanted(t *testing.T) {
	t.Chdir("../..")
	data, err := os.ReadFile("scripts/cases/defects.json")
	if err != nil {
		t.Fatal(err)
	}
	var defects []defect
	if err := json.Unmarshal(data, &defects); err != nil {
		t.Fatal(err)
	}
	for _, d := range defects {
		source, err := os.ReadFile(d.File)
		if err != nil {
			t.Errorf("%s: %v", d.Name, err)
			continue
		}
		if n := strings.Count(string(source), d.Old); n != 1 {
			t.Errorf("%s: what it replaces stands %d times in %s", d.Name, n, d.File)
		}
		if !strings.Contains(sourceOf(t, folder(d.Package)), "func "+d.Test+"(") {
			t.Errorf("%s: there is no test %s", d.Name, d.Test)
		}
	}
}

// A target that nobody says how to try is not tried.
func TestEveryTargetSaysHowItIsTried(t *testing.T) {
	t.Chdir("../..")
	out, err := exec.CommandContext(t.Context(), "scripts/targets.sh", "-list").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if n := strings.Count(string(out), "| listed |"); n < 30 {
		t.Errorf("only %d targets are listed:\n%s", n, out)
	}
}

// sourceOf is what the test files of a folder hold.
func sourceOf(t *testing.T, folder string) string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no tests are in %s: %v", folder, err)
	}
	var source strings.Builder
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		source.Write(data)
	}
	return source.String()
}
