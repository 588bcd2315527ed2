package definitiontest_test

import (
	"os"
	"testing"

	"github.com/evergrant/evergrant/sdk/definition"
	"github.com/evergrant/evergrant/sdk/definition/definitiontest"
)

// The test of a definition that stands in a file.
func ExampleRun() {
	testDefinition := func(t *testing.T) {
		document, err := os.ReadFile("acme.yaml")
		if err != nil {
			t.Fatal(err)
		}
		d, err := definition.Parse(document)
		if err != nil {
			t.Fatal(err)
		}
		definitiontest.Run(t, d)
	}
	_ = testDefinition // func TestDefinition of the module with the document
}
