package definitions

import (
	"os"
	"testing"

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
