package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// Every package names its floor, arrows go down, and the page shows what is.
func TestTheHouseStandsOnItsFloors(t *testing.T) {
	t.Chdir("../..")
	imports, err := load()
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range judge(imports) {
		t.Error(w)
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if drawn, err := put(string(text), draw(imports)); err != nil || drawn != string(text) {
		t.Errorf("%s does not show the floors as they are (%v): run go run ./scripts/floors -write", page, err)
	}
}

func TestAnImportThatGoesUpOrAsideIsNamed(t *testing.T) {
	wrong := strings.Join(judge(map[string][]string{
		"connection": {"store"}, "authflow": {"tokensource", "connection"}, "new": nil, "egress": {"store/storetest"},
	}), "\n")
	for _, want := range []string{
		"connection (domain) imports store (store), which is above it", "authflow imports tokensource: both are work", "new has no floor",
		"egress (machinery) imports store/storetest (tests), which is above it", "exchange does not import egress any more",
	} {
		if !strings.Contains(wrong, want) {
			t.Errorf("nothing is said of %q in\n%s", want, wrong)
		}
	}
}

// The walks and the table of where to change what name files that are there.
func TestThePageNamesFilesThatAreThere(t *testing.T) {
	t.Chdir("../..")
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`([a-z0-9]+(?:/[a-z0-9_]+)+\\.go)`").FindAllStringSubmatch(string(text), -1)
	if len(named) < 30 {
		t.Errorf("only %d files are named", len(named))
	}
	for _, found := range named {
		if _, err := os.Stat(found[1]); err == nil {
			continue
		}
		if _, err := os.Stat("hub/internal/" + found[1]); err != nil {
			t.Errorf("%s names %s, which is not there", page, found[1])
		}
	}
}
