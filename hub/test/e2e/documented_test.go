package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// pages are those whose commands are run.
var pages = []string{
	"README.md", "README.ru.md", "CONTRIBUTING.md", "docs/answers.md", "docs/api.md", "docs/benchmarks.md", "docs/deploying.md", "docs/dependencies.md",
	"docs/escalation.md", "docs/faq.md", "docs/glossary.md", "docs/operations.md", "docs/plugin-authors.md", "docs/plugin-host.md", "docs/reliability.md",
	"docs/screenshots.md", "docs/troubleshooting.md", "plugins/examples/README.md",
}

// documented is a command of a page: a line of a shell block, or words in a text.
type documented struct {
	page, block string // block is the whole of it; "" in a text
	line        int
	text        string
}

var (
	shellBlock = regexp.MustCompile("(?ms)^ *```(?:sh|bash|shell|console)\n(.*?)^ *```$")
	anyBlock   = regexp.MustCompile("(?ms)^ *```.*?^ *```$")
	inText     = regexp.MustCompile("`([^`\n]+)`")
	isCommand  = regexp.MustCompile(`^((EVERGRANT_\w+=\S+ )?(scripts/\S+\.(sh|py)|go (test|vet|build) \S)|evergrant [a-z]|make( [a-z]|$))`)
	remark     = regexp.MustCompile(`\s+# .*$`)
)

// documentedCommands are the commands of all pages, each once.
func documentedCommands(t *testing.T) (all []documented) {
	t.Helper()
	seen := map[string]bool{}
	add := func(d documented) {
		if d.block == "" && seen[d.text] {
			return
		}
		seen[d.text] = true
		all = append(all, d)
	}
	for _, page := range pages {
		data, err := os.ReadFile(filepath.Join("../../..", page))
		if err != nil {
			t.Fatal(err)
		}
		text := string(data)
		for _, at := range shellBlock.FindAllStringSubmatchIndex(text, -1) {
			block := text[at[2]:at[3]]
			line := 1 + strings.Count(text[:at[2]], "\n")
			for command := range strings.Lines(strings.ReplaceAll(block, "\\\n", "\\\v")) {
				n := strings.Count(command, "\v")
				plain := strings.TrimSpace(remark.ReplaceAllString(strings.TrimSpace(strings.ReplaceAll(command, "\\\v", "")), ""))
				add(documented{page: page, block: block, line: line, text: plain})
				line += 1 + n
			}
		}
		rest := anyBlock.ReplaceAllStringFunc(text, func(s string) string { return strings.Repeat("\n", strings.Count(s, "\n")) })
		for _, at := range inText.FindAllStringSubmatchIndex(rest, -1) {
			if words := rest[at[2]:at[3]]; isCommand.MatchString(words) {
				add(documented{page: page, line: 1 + strings.Count(rest[:at[2]], "\n"), text: words})
			}
		}
	}
	return all
}

// way is how a documented command is run.
type way struct {
	match *regexp.Regexp
	// instead is what is run, with $0 for the command; "" is the command.
	instead string
	// until is what a command says that does not end by itself.
	until string
	// out is why it is not run.
	out string
}

func ways(pairs ...string) (all []way) {
	for n := 0; n < len(pairs); n += 2 {
		w := way{match: regexp.MustCompile(pairs[n])}
		kind, rest, _ := strings.Cut(pairs[n+1], " ")
		switch kind {
		case "instead":
			w.instead = rest
		case "until":
			w.until = rest
		case "out":
			w.out = rest
		}
		all = append(all, w)
	}
	return all
}

// The first one that matches counts.
var documentedWays = ways(
	`^cd `, "run",
	`[\[<]|^go (get|tool|build -)`, "out it is a form, or part of a command",
	`^make run`, "instead make quickstart",
	`^make (quickstart|smoke-test|build|help)$|^make$`, "run",
	`^make \S+`, "instead ${0} --dry-run >/dev/null",
	`^(EVERGRANT_\w+=\S+ )?scripts/`, "out it takes minutes, and PostgreSQL",
	`^EVERGRANT_\w+=\S+ go test`, "out it takes minutes, or writes a page",
	`^go test -race|^go test .*TestX`, "out it takes minutes; an example of a package",
	`^go (test|vet|build)`, "run",
	`^git clone`, "run",
	`^curl `, "run",
	`^evergrant serve --`, "until Set up the administrator|is running at",
	`^evergrant plugin dev \.`, "until built ",
	`--to postgres://`, "out it needs a PostgreSQL of its own; TestRestore… of hub/test/e2e does it",
	`^evergrant (data (adopt|attach)|serve|restore|backup|plugin (new|install)|key create|token|data (behind|detach)|backup verify|plugin dev)$`, "instead ${0} --help",
	`^evergrant key retire `, "instead ${0} 2>&1 | grep 'is still needed'", // the hub beside has not been started anew
	`^evergrant `, "run",
	`^(CGO_ENABLED=0 go build|mkdir -p|EVERGRANT_API_KEY=… evergrant plugin install) `, "run",
)

func wayOf(text string) (way, bool) {
	for _, w := range documentedWays {
		if w.match.MatchString(text) {
			return w, true
		}
	}
	return way{}, false
}

// A command that somebody writes into a page has to be run, or a reason given.
func TestEveryDocumentedCommandIsKnown(t *testing.T) {
	commands := documentedCommands(t)
	if len(commands) < 60 {
		t.Errorf("only %d commands were found", len(commands))
	}
	for _, c := range commands {
		if _, known := wayOf(c.text); !known {
			t.Errorf("%s:%d: nothing says how to run %q", c.page, c.line, c.text)
		}
	}
}

// The commands are run in a fresh clone, beside a hub on loopback; scripts/documented-commands.sh
// makes the clone and names the file for what came of them.
func TestEveryDocumentedCommandRuns(t *testing.T) {
	clone := os.Getenv("EVERGRANT_TEST_CLONE")
	if clone == "" {
		t.Skip("scripts/documented-commands.sh makes a clone for it")
	}
	s := newStage(t, clone)
	var log strings.Builder
	log.WriteString("| page | command | outcome |\n|---|---|---|\n")
	for _, c := range documentedCommands(t) {
		said := s.play(t, c)
		fmt.Fprintf(&log, "| %s:%d | `%s` | %s |\n", c.page, c.line, strings.ReplaceAll(c.text, "|", `\|`), said)
		t.Logf("%s:%d  %s  %s", c.page, c.line, c.text, said)
	}
	if file := os.Getenv("EVERGRANT_TEST_COMMANDS_LOG"); file != "" {
		if err := os.WriteFile(file, []byte(log.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
