package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// root is where the documents are, seen from this package.
const root = "../.."

// document is a page and what of it a machine can be asked about.
type document struct {
	name string // its path below root
	text string
	// code are its spans and the lines of its blocks.
	code []string
	// blocks are whole, by their language.
	blocks map[string][]string
}

var (
	blockRE = regexp.MustCompile("(?ms)^[ \t]*```([a-z]*)[^\n]*\n(.*?)^[ \t]*```[ \t]*$")
	spanRE  = regexp.MustCompile("`([^`\n]+(?:\n[^`\n]+)?)`")
)

// documents reads what people are given to read.
func documents(t *testing.T) []document {
	t.Helper()
	var names []string
	for _, pattern := range []string{"README*.md", "CONTRIBUTING.md", "docs/*.md", "plugins/examples/*.md"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, found...)
	}
	if len(names) < 10 {
		t.Fatalf("only %d documents were found", len(names))
	}
	var all []document
	for _, name := range names {
		all = append(all, parse(strings.TrimPrefix(filepath.ToSlash(name), root+"/"), read(t, name)))
	}
	return all
}

func parse(name, text string) document {
	d := document{name: name, text: text, blocks: map[string][]string{}}
	for _, m := range blockRE.FindAllStringSubmatch(text, -1) {
		d.blocks[m[1]] = append(d.blocks[m[1]], m[2])
		if m[1] == "sh" || m[1] == "" || m[1] == "ini" {
			d.code = append(d.code, strings.Split(strings.ReplaceAll(m[2], "\\\n", " "), "\n")...)
		}
	}
	for _, m := range spanRE.FindAllStringSubmatch(blockRE.ReplaceAllString(text, ""), -1) {
		d.code = append(d.code, strings.ReplaceAll(m[1], "\n", " "))
	}
	return d
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// model is the command line as kong sees it.
func model(t *testing.T) *kong.Node {
	t.Helper()
	parser, err := kong.New(&commands{}, kong.Name("evergrant"), kong.Vars{"version": "test"})
	if err != nil {
		t.Fatal(err)
	}
	return parser.Model.Node
}

var (
	calledRE = regexp.MustCompile(`(?:^|[;&|(]\s*|[A-Z_]+=\S+\s+|bin/)evergrant((?:\s+[^\s#;&|]+)*)`)
	wordRE   = regexp.MustCompile(`^[a-z][a-z-]*$`)
	optionRE = regexp.MustCompile(`^\[?--([a-z][a-z-]*)`)
)

// called finds what is wrong with the calls of evergrant in a line: unknown commands and
// options.
func called(program *kong.Node, line string) (wrong []string) {
	for _, m := range calledRE.FindAllStringSubmatch(line, -1) {
		node, descends := program, true
		for word := range strings.FieldsSeq(m[1]) {
			if option := optionRE.FindStringSubmatch(word); option != nil {
				if !slices.Contains(optionsOf(node), option[1]) {
					wrong = append(wrong, node.FullPath()+" has no option --"+option[1])
				}
				descends = false
				continue
			}
			next := childOf(node, word)
			switch {
			case !descends:
			case next != nil:
				node = next
			case wordRE.MatchString(word) && len(node.Children) > 0 && len(node.Positional) == 0 && (node.DefaultCmd == nil || len(node.DefaultCmd.Positional) == 0):
				wrong = append(wrong, node.FullPath()+" has no command "+word)
				descends = false
			default:
				descends = false
			}
		}
	}
	return wrong
}

// childOf is the command of a name; of several (new|test|…) the first.
func childOf(node *kong.Node, word string) *kong.Node {
	first, _, _ := strings.Cut(word, "|")
	for _, child := range node.Children {
		if child.Name == first {
			return child
		}
	}
	return nil
}

// optionsOf are the options that a command takes, with those of its default.
func optionsOf(node *kong.Node) (names []string) {
	for _, group := range node.AllFlags(false) {
		for _, flag := range group {
			names = append(names, flag.Name)
		}
	}
	if node.DefaultCmd != nil {
		names = append(names, optionsOf(node.DefaultCmd)...)
	}
	return names
}

// everyOption are the options of all commands.
func everyOption(node *kong.Node) []string {
	names := optionsOf(node)
	for _, child := range node.Children {
		names = append(names, everyOption(child)...)
	}
	return names
}

func TestDocumentsNameCommandsAndOptionsThatThereAre(t *testing.T) {
	program, calls := model(t), 0
	options := everyOption(program)
	for _, d := range documents(t) {
		for _, line := range d.code {
			calls += len(calledRE.FindAllString(line, -1))
			for _, wrong := range called(program, line) {
				t.Errorf("%s: %s (in %q)", d.name, wrong, line)
			}
			if option := optionRE.FindStringSubmatch(line); option != nil && !slices.Contains(options, option[1]) {
				t.Errorf("%s: no command has the option %s", d.name, line)
			}
		}
	}
	if calls < 50 {
		t.Errorf("only %d calls of evergrant were found in the documents", calls)
	}
}

func TestDocumentsNameTargetsThatMakeHelpLists(t *testing.T) {
	listed := map[string]bool{}
	out, err := exec.CommandContext(t.Context(), "make", "-s", "-C", root, "help").Output()
	if err != nil {
		t.Skipf("make is not here: %v", err)
	}
	for _, m := range regexp.MustCompile(`(?m)^  make (\S+)`).FindAllStringSubmatch(string(out), -1) {
		listed[m[1]] = true
	}
	calls := regexp.MustCompile(`(?:^|[;&|]\s*)make(?:\s+[A-Z]+=\S+)*\s+([a-z][a-z0-9-]*)`)
	for _, d := range documents(t) {
		for _, line := range d.code {
			for _, m := range calls.FindAllStringSubmatch(line, -1) {
				if !listed[m[1]] {
					t.Errorf("%s names make %s, which make help does not list", d.name, m[1])
				}
			}
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^\.PHONY: (.+)$`).FindAllStringSubmatch(read(t, root+"/Makefile"), -1) {
		for target := range strings.FieldsSeq(m[1]) {
			if !listed[target] {
				t.Errorf("make help does not list %s", target)
			}
		}
	}
}
