package main

import (
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/evergrant/evergrant/hub/authorkit"
)

// sources is the program's text below a folder, without tests.
func sources(t *testing.T, folder string) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(filepath.Join(root, folder), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && path == filepath.Join(root, "hub/test") {
			return fs.SkipDir // what tests say is not what the hub says
		}
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		data, err := os.ReadFile(path)
		all.WriteString(string(data))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// settings are the keys of the configuration, and its sections.
func settings(t *testing.T) (keys, sections map[string]bool) {
	t.Helper()
	var tree map[string]any
	if err := yaml.Unmarshal([]byte(read(t, root+"/configs/evergrant.full.yaml")), &tree); err != nil {
		t.Fatal(err)
	}
	keys, sections = map[string]bool{}, map[string]bool{}
	flatten("", tree, keys)
	for key := range keys {
		if section, _, below := strings.Cut(key, "."); below {
			sections[section] = true
		}
	}
	return keys, sections
}

func flatten(prefix string, tree map[string]any, into map[string]bool) {
	for key, value := range tree {
		if below, ok := value.(map[string]any); ok {
			flatten(prefix+key+".", below, into)
			continue
		}
		into[prefix+key] = true
	}
}

func TestDocumentsNameSettingsThatThereAre(t *testing.T) {
	keys, sections := settings(t)
	variables := read(t, root+"/configs/evergrant.full.yaml") + sources(t, "cmd") + read(t, root+"/scripts/test.sh") + read(t, root+"/hub/test/bench/wave_bench_test.go") + read(t, root+"/CONTRIBUTING.md")
	dotted := regexp.MustCompile(`^([a-z]+)\.[a-z_]+(?:\.[a-z_]+)*$`)
	variable := regexp.MustCompile(`EVERGRANT_[A-Z_]+`)
	for _, d := range documents(t) {
		for _, line := range d.code {
			name, _, _ := strings.Cut(line, ":")
			if m := dotted.FindStringSubmatch(name); m != nil && sections[m[1]] && !keys[name] && !strings.HasSuffix(name, ".go") {
				t.Errorf("%s names the setting %s, which configs/evergrant.full.yaml does not have", d.name, name)
			}
			for _, v := range variable.FindAllString(line, -1) {
				if !strings.HasPrefix(v, "EVERGRANT_TEST_") && !strings.HasPrefix(v, "EVERGRANT_WRITE_") && !strings.Contains(variables, v) {
					t.Errorf("%s names the variable %s, which nothing reads", d.name, v)
				}
			}
		}
		for _, block := range d.blocks["yaml"] {
			if !strings.HasPrefix(block, "# evergrant.yaml\n") {
				continue
			}
			var tree map[string]any
			if err := yaml.Unmarshal([]byte(block), &tree); err != nil {
				t.Errorf("%s: a configuration that cannot be read: %v", d.name, err)
			}
			used := map[string]bool{}
			flatten("", tree, used)
			for key := range used {
				if !keys[key] {
					t.Errorf("%s: a configuration with the unknown key %s", d.name, key)
				}
			}
		}
	}
}

// The table of operations.md is held against a hub's own answer in hub/test/e2e; here the
// names of all pages are held against the source, which needs no hub.
func TestDocumentsNameMetricsThatThereAre(t *testing.T) {
	source := sources(t, "hub")
	names := regexp.MustCompile(`evergrant_[a-z_]+[a-z]`)
	for _, d := range documents(t) {
		for _, line := range d.code {
			for _, name := range names.FindAllString(line, -1) {
				short := strings.TrimPrefix(name, "evergrant_")
				for _, suffix := range []string{"_bucket", "_sum", "_count"} {
					short = strings.TrimSuffix(short, suffix)
				}
				if !strings.Contains(source, `"`+short+`"`) && !strings.Contains(source, `"`+name+`"`) {
					t.Errorf("%s names the metric %s, which there is not", d.name, name)
				}
			}
		}
	}
}

// section is what stands below a heading of its level, up to the next one.
func section(t *testing.T, text, heading string) string {
	t.Helper()
	_, below, found := strings.Cut(text, "\n"+heading+"\n")
	if !found {
		t.Fatalf("there is no %q", heading)
	}
	level := heading[:strings.Index(heading, " ")+1]
	if end := strings.Index(below, "\n"+level); end >= 0 {
		below = below[:end]
	}
	return below
}

// firsts are the first cells of a table's rows.
func firsts(text string) (cells []string) {
	for _, m := range regexp.MustCompile(`(?m)^\| ([^|]+?) \|`).FindAllStringSubmatch(text, -1) {
		cells = append(cells, m[1])
	}
	return cells
}

func TestDocumentsTellEveryStatusOfAPull(t *testing.T) {
	source := read(t, root+"/hub/internal/api/problem.go")
	_, refusal, _ := strings.Cut(source, "func (a *API) refusal(")
	refusal, _, _ = strings.Cut(refusal, "\n}\n")
	told := strings.Join(firsts(section(t, read(t, root+"/docs/api.md"), "## Pull a token")), " ")
	for code := 100; code < 600; code++ {
		name := "http.Status" + strings.NewReplacer(" ", "", "-", "").Replace(http.StatusText(code))
		if http.StatusText(code) == "" {
			continue
		}
		if strings.Contains(refusal, name+",") && !strings.Contains(told, strconv.Itoa(code)) {
			t.Errorf("a pull can be answered %d, which docs/api.md does not tell", code)
		}
	}
	api := sources(t, "hub/internal/api")
	for _, d := range documents(t) {
		for _, line := range d.code {
			word, ok := strings.CutPrefix(line, "…/")
			if ok && regexp.MustCompile(`^[a-z]+(-[a-z]+)+$`).MatchString(word) && !strings.Contains(api, `"`+word+`"`) {
				t.Errorf("%s names the problem type %s, which there is not", d.name, line)
			}
		}
	}
}

func TestGlossaryHasEveryStatus(t *testing.T) {
	var there []string
	for _, m := range regexp.MustCompile(`(?m)^\tStatus\w+ +Status = ("\w+")$`).FindAllStringSubmatch(read(t, root+"/hub/internal/connection/status.go"), -1) {
		there = append(there, strings.Trim(m[1], `"`))
	}
	row := regexp.MustCompile(`(?m)^\| \*\*status\*\* \|.*$`).FindString(read(t, root+"/docs/glossary.md"))
	want := "`" + strings.Join(there, "`, `") + "`"
	if len(there) < 8 || !strings.Contains(row, want) {
		t.Errorf("docs/glossary.md does not have the statuses %s:\n%s", want, row)
	}
}

func TestDocumentsTellEveryCheckOfTheDoctor(t *testing.T) {
	there := map[string]bool{}
	for _, m := range regexp.MustCompile(`\{Name: "([a-z_]+)", Look:`).FindAllStringSubmatch(sources(t, "hub/internal/doctor"), -1) {
		there[m[1]] = true
	}
	told := map[string]bool{}
	for _, cell := range firsts(section(t, read(t, root+"/docs/operations.md"), "## evergrant doctor")) {
		told[cell] = true
		if cell != "Check" && !strings.HasPrefix(cell, "--") && !there[cell] {
			t.Errorf("docs/operations.md tells of the check %q, which there is not", cell)
		}
	}
	for name := range there {
		if !told[name] {
			t.Errorf("docs/operations.md does not tell of the check %s", name)
		}
	}
}

func TestTroubleshootingQuotesLinesThatTheHubWrites(t *testing.T) {
	page := read(t, root+"/docs/troubleshooting.md")
	source, quoted := sources(t, "hub")+sources(t, "cmd"), 0
	for _, heading := range []string{"## The hub does not start", "## In the log of a running hub"} {
		for _, cell := range firsts(section(t, page, heading)) {
			if text := strings.Trim(cell, "`"); text != cell {
				quoted++
				if !strings.Contains(source, text) {
					t.Errorf("docs/troubleshooting.md quotes %q, which the hub never writes", text)
				}
			}
		}
	}
	if quoted < 15 {
		t.Errorf("only %d lines are quoted", quoted)
	}
}

// The guide tests a plugin with a file that plugin new has to write.
func TestANewPluginHasTheFixturesThatTheGuideNames(t *testing.T) {
	dir, err := authorkit.New(authorkit.Scaffold{Name: "acme", Dir: filepath.Join(t.TempDir(), "acme")})
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`evergrant plugin test \S+ --fixtures (\S+)`).FindStringSubmatch(read(t, root+"/docs/plugin-authors.md"))
	if m == nil {
		t.Fatal("the guide does not test a plugin with fixtures")
	}
	fixtures, err := authorkit.ReadFixtures(filepath.Join(dir, m[1]))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(fixtures.Replies); err != nil || len(fixtures.Scopes) == 0 {
		t.Errorf("the fixtures %+v name no replies or scopes: %v", fixtures, err)
	}
}
