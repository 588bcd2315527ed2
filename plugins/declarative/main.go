// Command evergrant-provider-declarative serves definitions in one process: those that are
// shipped with Evergrant, each a document of the folder definitions, and those that the hub
// hands over.
package main

import (
	"fmt"
	"os"

	"github.com/evergrant/evergrant/plugins/declarative/definitions"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

func main() {
	documents, err := definitions.Documents()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	providerplugin.ServeWith(providerplugin.ServeConfig{Documents: documents})
}
