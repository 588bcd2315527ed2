// Command floors holds the imports of the hub's packages against the floors of the house,
// and draws them into docs/architecture.md.
//
//	go run ./scripts/floors          fails for an import that is not allowed
//	go run ./scripts/floors -write   also writes the picture
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

const (
	module = "github.com/evergrant/evergrant/"
	page   = "docs/architecture.md"
	begin  = "<!-- floors: written by go run ./scripts/floors -write -->\n"
	end    = "<!-- end of floors -->\n"
)

func main() {
	write := flag.Bool("write", false, "write the picture into "+page)
	flag.Parse()
	imports, err := load()
	if err != nil {
		fatal(err)
	}
	wrong := judge(imports)
	for _, w := range wrong {
		fmt.Fprintln(os.Stderr, "floors:", w)
	}
	if *write {
		text, err := os.ReadFile(page)
		if err == nil {
			var drawn string
			if drawn, err = put(string(text), draw(imports)); err == nil {
				err = os.WriteFile(page, []byte(drawn), 0o644) //nolint:gosec // G306: a page
			}
		}
		if err != nil {
			fatal(err)
		}
	}
	if len(wrong) > 0 {
		os.Exit(1)
	}
}

func fatal(err error) {
	fmt.Fprintln(os.Stderr, "floors:", err)
	os.Exit(2)
}

// load reads which packages of ours each package of ours imports, without its tests.
func load() (map[string][]string, error) {
	list := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./hub/...", "./cmd/...")
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("list the packages: %w", err)
	}
	imports := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		var ours []string
		for _, path := range words[1:] {
			if name, is := nameOf(path); is {
				ours = append(ours, name)
			}
		}
		name, _ := nameOf(words[0])
		imports[name] = ours
	}
	return imports, nil
}

// nameOf is a package as floors call it; false for one that is not of the hub.
func nameOf(path string) (string, bool) {
	rest, ours := strings.CutPrefix(path, module)
	if !ours || !strings.HasPrefix(rest, "hub") && !strings.HasPrefix(rest, "cmd") {
		return "", false
	}
	if name, internal := strings.CutPrefix(rest, "hub/internal/"); internal {
		return name, true
	}
	return "/" + rest, true
}

// levelOf is the floor of a package, from the lowest; -1 for one that has none.
func levelOf(name string) int {
	return slices.IndexFunc(floors, func(f floor) bool { return slices.Contains(f.packages, name) })
}

// judge names packages without a floor and imports that go up or aside.
func judge(imports map[string][]string) (wrong []string) {
	for name, used := range imports {
		level := levelOf(name)
		if level >= 0 && floors[level].name == tests {
			continue
		}
		if level < 0 {
			wrong = append(wrong, name+" has no floor: put it into scripts/floors/floors.go")
			continue
		}
		for _, other := range used {
			switch below := levelOf(other); {
			case below > level:
				wrong = append(wrong, fmt.Sprintf("%s (%s) imports %s (%s), which is above it", name, floors[level].name, other, floors[below].name))
			case below == level && within[name][other] == "":
				wrong = append(wrong, fmt.Sprintf("%s imports %s: both are %s, and nothing says why they meet", name, other, floors[level].name))
			}
		}
	}
	for name, others := range within {
		for other := range others {
			if !slices.Contains(imports[name], other) {
				wrong = append(wrong, fmt.Sprintf("%s does not import %s any more: take it out of within", name, other))
			}
		}
	}
	slices.Sort(wrong)
	return wrong
}

// draw is the floors as a table, the highest first, and what meets within them.
func draw(imports map[string][]string) string {
	var b strings.Builder
	b.WriteString("| floor | what it is | packages |\n|---|---|---|\n")
	for _, f := range slices.Backward(floors) {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", f.name, f.is, "`"+strings.Join(f.packages, "` `")+"`")
	}
	b.WriteString("\nWithin a floor:\n\n| package | imports | for |\n|---|---|---|\n")
	for _, f := range slices.Backward(floors) {
		for _, name := range f.packages {
			for _, other := range imports[name] {
				if why := within[name][other]; why != "" {
					fmt.Fprintf(&b, "| `%s` | `%s` | %s |\n", name, other, why)
				}
			}
		}
	}
	return b.String()
}

// put puts the picture between its marks.
func put(text, picture string) (string, error) {
	before, rest, found := strings.Cut(text, begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		return "", fmt.Errorf("%s has no place for the picture: %q and %q", page, begin, end)
	}
	return before + begin + "\n" + picture + "\n" + end + after, nil
}
