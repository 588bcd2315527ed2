package authorkit_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/hub/authorkit"
)

func TestFixturesThatNobodyReadsAreRefusedWithTheirPlace(t *testing.T) {
	for text, want := range map[string]string{
		"{\n  \"provider\": \"acme\",\n  \"tokenreply\": \"{}\"\n}": `line 3: json: unknown field "tokenreply"`,
		"{\n  \"scopes\": \"read\"\n}":                              "line 2:",
		"{\n  \"public\": true,\n}":                                 "line 3:",
		"{} {}":                                                     "something follows",
		`{"gaps": {"no-such-check": "x"}}`:                          `there is no check "no-such-check"`,
		`{"Unconfined": true}`:                                      "unknown field",
	} {
		file := filepath.Join(t.TempDir(), "conformance.json")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := authorkit.ReadFixtures(file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func TestFieldsOfFixturesAreInTheGuide(t *testing.T) {
	guide, err := os.ReadFile("../../docs/plugin-authors.md")
	if err != nil {
		t.Fatal(err)
	}
	for field := range reflect.TypeFor[authorkit.Fixtures]().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name != "-" && !strings.Contains(string(guide), "`"+name+"`") {
			t.Errorf("the guide does not say what %s is", name)
		}
	}
}
