// Command cases runs the tests that a page of the documents names for each of its
// promises, prints what came of every one, and counts them: for docs/plugin-host.md as
// "N passed, N failed, N skipped", for docs/threat-model.md as
// "attack: N tried, N held, N open". With -write it notes the results in the page. With
// -defects it plants the defects of defects.json, one at a time, and fails for each that no
// test of the page notices. It is started in the repository's root by make plugin-cases
// and make attack.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
)

const (
	hostPage   = "docs/plugin-host.md"
	threatPage = "docs/threat-model.md"
)

// folder is where the tests are that a page names by a word: a folder, a package of the
// hub, or tests of the whole hub.
func folder(word string) string {
	switch {
	case word == "examples":
		return "./plugins/examples"
	case word == "authorkit":
		return "./hub/authorkit"
	case word == "e2e" || word == "browser":
		return "./hub/test/" + word
	case word == "hub" || strings.Contains(word, "/") && !strings.HasPrefix(word, "app/") && !strings.HasPrefix(word, "store/"):
		return "./" + word
	}
	return "./hub/internal/" + word
}

// kase is a row of the page's table.
type kase struct {
	number, fault string
	// shown are "package TestName" and "chaos part".
	shown  []string
	result string
	line   int
}

var rowRE = regexp.MustCompile(`^\| (\d+) \| (.+?) \| .+? \| (.+?) \| .*\|$`)

func main() {
	write := flag.Bool("write", false, "note the results in the page")
	attack := flag.Bool("attack", false, "run the attacks of "+threatPage)
	defects := flag.String("defects", "", "plant the defects of a file, instead")
	only := flag.String("only", "", "plant only defects whose name has this in it")
	flag.Parse()
	if *defects != "" {
		plantAll(*defects, *only)
		return
	}
	page, closing := hostPage, hostClosing
	if *attack {
		page, closing = threatPage, attackClosing
	}
	data, err := os.ReadFile(page)
	if err != nil {
		fatal(err)
	}
	lines := strings.Split(string(data), "\n")
	cases := read(lines)
	results := map[string]string{}
	for word, names := range wanted(cases) {
		run(word, names, results)
	}
	failed := report(cases, results, closing)
	if *write {
		for _, c := range cases {
			cells := strings.Split(lines[c.line], " | ")
			cells[len(cells)-1] = c.result + " |"
			lines[c.line] = strings.Join(cells, " | ")
		}
		if err := os.WriteFile(page, []byte(strings.Join(lines, "\n")), 0o644); err != nil { //nolint:gosec // G306: a page
			fatal(err)
		}
	}
	if failed {
		os.Exit(1)
	}
}

func fatal(err error) {
	fmt.Fprintln(os.Stderr, "plugincases:", err)
	os.Exit(2)
}

func read(lines []string) []*kase {
	var cases []*kase
	for n, line := range lines {
		match := rowRE.FindStringSubmatch(line)
		if match == nil {
			continue
		}
		c := &kase{number: match[1], fault: match[2], line: n}
		for group := range strings.SplitSeq(match[3], "; ") {
			word, names, _ := strings.Cut(group, " ")
			for name := range strings.SplitSeq(names, ", ") {
				c.shown = append(c.shown, word+" "+name)
			}
		}
		cases = append(cases, c)
	}
	return cases
}

func wanted(cases []*kase) map[string][]string {
	tests := map[string][]string{}
	for _, c := range cases {
		for _, s := range c.shown {
			word, name, _ := strings.Cut(s, " ")
			if !slices.Contains(tests[word], name) {
				tests[word] = append(tests[word], name)
			}
		}
	}
	return tests
}

// run runs a package's tests and notes pass, fail or skip for each.
func run(word string, names []string, results map[string]string) {
	if word == "chaos" {
		for _, part := range names {
			results["chaos "+part] = outcome(command("scripts/chaos.sh", "-short", "-only="+part).Run())
		}
		return
	}
	args := []string{"test", "-count=1", "-timeout=20m", "-json", "-run", "^(" + strings.Join(names, "|") + ")$", folder(word)}
	cmd := command("go", args...)
	cmd.Stdout = nil
	out, err := cmd.Output()
	scanner := bufio.NewScanner(bytes.NewReader(out))
	scanner.Buffer(nil, 1<<24)
	for scanner.Scan() {
		var event struct{ Action, Test, Output string }
		if json.Unmarshal(scanner.Bytes(), &event) != nil {
			continue
		}
		name, part, _ := strings.Cut(event.Test, "/")
		key := word + " " + name
		switch event.Action {
		case "skip", "pass", "fail":
			// A part that was skipped makes its whole test so, unless something failed.
			if rank(event.Action) > rank(results[key]) && (part == "" || event.Action != "pass") {
				results[key] = event.Action
			}
		case "output":
			if strings.Contains(event.Output, "FAIL") || strings.Contains(event.Output, "SKIP") {
				fmt.Print(event.Output)
			}
		}
	}
	if err != nil && len(out) == 0 {
		fmt.Fprintln(os.Stderr, word, err)
	}
}

func rank(action string) int { return slices.Index([]string{"", "pass", "skip", "fail"}, action) }

func command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...) //nolint:gosec // G204: the page names the tests
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	cmd.Env = append(os.Environ(), "EVERGRANT_TEST_CYCLES=1000")
	return cmd
}

func outcome(err error) string {
	if err != nil {
		return "fail"
	}
	return "pass"
}

// report prints each case and the closing line.
func report(cases []*kase, results map[string]string, closing func(count map[string]int) string) (failed bool) {
	words := map[string]string{"pass": "passed", "fail": "failed", "skip": "skipped", "": "failed"}
	count := map[string]int{}
	for _, c := range cases {
		worst := "pass"
		for _, s := range c.shown {
			switch r := results[s]; {
			case r == "" || r == "fail":
				worst = "fail"
				fmt.Printf("    %s did not pass\n", s)
			case r == "skip" && worst == "pass":
				worst = "skip"
			}
		}
		c.result = words[worst]
		count[c.result]++
		fmt.Printf("%3s  %-8s %s\n", c.number, c.result, c.fault)
	}
	fmt.Println(closing(count))
	return count["failed"] > 0 || len(cases) == 0
}

func hostClosing(count map[string]int) string {
	return fmt.Sprintf("%d passed, %d failed, %d skipped", count["passed"], count["failed"], count["skipped"])
}

// attackClosing counts an attack that could not be tried here as one that is open.
func attackClosing(count map[string]int) string {
	open := count["failed"] + count["skipped"]
	return fmt.Sprintf("attack: %d tried, %d held, %d open", count["passed"]+open, count["passed"], open)
}
