package definitions

import (
	"os"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/evergrant/evergrant/sdk/definition/definitiontest"
)

// Every definition that is shipped keeps the contract, and means what the service's own
// documented replies mean.
func TestConformance(t *testing.T) {
	definitions, err := Shipped()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range definitions {
		t.Run(d.Name, func(t *testing.T) {
			if _, err := os.Stat(d.Name + ".yaml"); err != nil {
				t.Errorf("a document has the name of its file: %v", err)
			}
			definitiontest.Run(t, d)
		})
	}
}

// At least this many of the shipped definitions have evidence that is more than hearsay for
// every fact that decides renewal.
const leastProven = 45

func TestMostDefinitionsAreProven(t *testing.T) {
	definitions, err := Shipped()
	if err != nil {
		t.Fatal(err)
	}
	var proven, unverified []string
	for _, d := range definitions {
		if d.Proven() {
			proven = append(proven, d.Name)
		} else {
			unverified = append(unverified, d.Name)
		}
	}
	t.Logf("proven: %d: %s", len(proven), strings.Join(proven, ", "))
	t.Logf("not in everything: %d: %s", len(unverified), strings.Join(unverified, ", "))
	if len(proven) < leastProven {
		t.Errorf("%d definitions are proven, want at least %d", len(proven), leastProven)
	}
}

// The gallery finds each service by what people call it, and shows it in a category.
func TestEachDefinitionIsFoundInTheGallery(t *testing.T) {
	definitions, err := Shipped()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range definitions {
		russian := slices.ContainsFunc(append(d.Aliases, d.Title.RU), func(name string) bool {
			return strings.ContainsFunc(name, func(r rune) bool { return unicode.Is(unicode.Cyrillic, r) })
		})
		if len(d.Aliases) == 0 || !russian || d.Category == "" {
			t.Errorf("%s: the aliases are %v, the category is %q; a search in Russian has to find it", d.Name, d.Aliases, d.Category)
		}
		if d.DocumentationURL == "" || d.Summary.EN == "" || d.StaticKey == nil && len(d.SetupSteps) == 0 {
			t.Errorf("%s says too little to the administrator who adds it", d.Name)
		}
	}
}
