package authorkit_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/evergrant/evergrant/hub/authorkit"
	"github.com/evergrant/evergrant/sdk/oauth"
)

// mostLines is what a service with two quirks may take of an author, in lines of Go
// that are not blank.
const mostLines = 40

func guide(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("../../docs/plugin-authors.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

var block = regexp.MustCompile("(?ms)^```[a-z]+ (\\S+)\\n(.*?)^```$")

// The guide is followed word for word: its files are written, its commands run.
func TestAServiceWithTwoQuirksTakesFortyLines(t *testing.T) {
	dir := scaffolded(t, "meters")
	lines := map[string]int{}
	added := func(name, text string) int {
		before, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || name == "provider.go" { // all of that is the author's
			return countLines(text, "")
		}
		return countLines(text, string(before))
	}
	for _, file := range block.FindAllStringSubmatch(guide(t), -1) {
		name, text := file[1], file[2]
		lines[name] = added(name, text)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"provider.go", "provider_test.go", "conformance.json", "testdata/replies/refresh.http", "fake_test.go"} {
		if lines[name] == 0 {
			t.Fatalf("the guide has no %s: %v", name, lines)
		}
	}
	t.Logf("lines of the author's: %d of provider.go, %d of provider_test.go, %d of conformance.json, %d of a recorded reply; a test against a fake has %d",
		lines["provider.go"], lines["provider_test.go"], lines["conformance.json"], lines["testdata/replies/refresh.http"], lines["fake_test.go"])
	if sum := lines["provider.go"] + lines["provider_test.go"]; sum > mostLines {
		t.Errorf("the author has to write %d lines, more than %d", sum, mostLines)
	}
	for _, said := range []string{fmt.Sprintf("%d lines of `provider.go`", lines["provider.go"]), fmt.Sprintf("%d that `provider_test.go` did not", lines["provider_test.go"])} {
		if !strings.Contains(guide(t), said) {
			t.Errorf("the guide does not say %q", said)
		}
	}
	command(t, dir, "sh", "-c", `test -z "$(gofmt -l *.go)"`)
	command(t, dir, "go", "vet", ".")
	command(t, dir, "go", "test", ".")
	command(t, dir, "go", "build", "-o", "evergrant-provider-meters", ".")
	fixtures, err := authorkit.ReadFixtures(filepath.Join(dir, "conformance.json"))
	if err != nil {
		t.Fatal(err)
	}
	report, err := authorkit.Test(t.Context(), filepath.Join(dir, "evergrant-provider-meters"), fixtures)
	if err != nil {
		t.Fatal(err)
	}
	if failed := report.Failed(); len(failed) > 0 || !report.Renews {
		t.Errorf("failed %v, renewal proven %t", failed, report.Renews)
	}
}

// countLines counts the lines that are not blank, and not in what was there before but
// for their spaces.
func countLines(text, before string) (n int) {
	there := map[string]bool{"": true}
	for line := range strings.Lines(before) {
		there[strings.Join(strings.Fields(line), " ")] = true
	}
	for line := range strings.Lines(text) {
		if !there[strings.Join(strings.Fields(line), " ")] {
			n++
		}
	}
	return n
}

// The guide's tables name the fields that there are, all of them and no others.
func TestTheGuideNamesEveryFieldOfTheStandardProvider(t *testing.T) {
	text := guide(t)
	for head, of := range map[string]any{"### All fields of `oauth.Config`\n\n| field | |": oauth.Config{}, "| field of `Decode` | |": oauth.Decode{}} {
		_, table, there := strings.Cut(text, head)
		if !there {
			t.Fatalf("there is no table %q", head)
		}
		table, _, _ = strings.Cut(table, "\n\n")
		var named []string
		for line := range strings.Lines(table) {
			if cells := strings.Split(line, "|"); len(cells) > 2 {
				for _, name := range regexp.MustCompile("`([A-Z][A-Za-z]*)`").FindAllStringSubmatch(cells[1], -1) {
					named = append(named, name[1])
				}
			}
		}
		var fields []string
		for field := range reflect.TypeOf(of).Fields() {
			fields = append(fields, field.Name)
		}
		slices.Sort(named)
		slices.Sort(fields)
		if !slices.Equal(named, fields) {
			t.Errorf("%T has %v, the guide names %v", of, fields, named)
		}
	}
}

// What is written for continuous integration is YAML with a job that runs commands
// which this program has.
func TestTheWorkflowOfANewPluginCanBeRead(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(scaffolded(t, "meters"), ".github/workflows/plugin.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var workflow struct {
		On   map[string]any
		Jobs map[string]struct {
			RunsOn string `yaml:"runs-on"`
			Steps  []struct{ Uses, Run string }
		}
	}
	if err := yaml.Unmarshal(data, &workflow); err != nil {
		t.Fatal(err)
	}
	steps := workflow.Jobs["prove"].Steps
	var all strings.Builder
	for _, s := range steps {
		if (s.Uses == "") == (s.Run == "") {
			t.Errorf("a step uses %q and runs %q", s.Uses, s.Run)
		}
		all.WriteString(s.Run + "\n")
	}
	for _, want := range []string{"go test", "evergrant plugin test ./evergrant-provider-meters", "evergrant plugin pack", "evergrant plugin sign"} {
		if !strings.Contains(all.String(), want) {
			t.Errorf("no step runs %q", want)
		}
	}
	if workflow.On["push"] == nil || workflow.Jobs["prove"].RunsOn == "" {
		t.Errorf("it is run on %v, by %q", workflow.On, workflow.Jobs["prove"].RunsOn)
	}
}
