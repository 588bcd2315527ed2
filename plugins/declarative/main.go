// Command evergrant-provider-declarative serves all definitions that are shipped with
// Evergrant in one process: each document of the folder definitions is a provider.
package main

import (
	"fmt"
	"os"

	"github.com/evergrant/evergrant/plugins/declarative/definitions"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

func main() {
	shipped, err := definitions.Shipped()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	providers := make([]provider.Provider, len(shipped))
	for i, d := range shipped {
		providers[i] = d.Provider()
	}
	providerplugin.Serve(providers...)
}
