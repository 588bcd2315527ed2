// Package definitions has the definitions that are shipped with Evergrant: a document for
// each service that is described without code.
package definitions

import (
	"embed"
	"fmt"
	"io/fs"

	"github.com/evergrant/evergrant/sdk/definition"
)

//go:embed *.yaml
var documents embed.FS

// Shipped reads the documents, in the order of their names.
func Shipped() ([]*definition.Definition, error) {
	names, err := fs.Glob(documents, "*.yaml")
	if err != nil {
		return nil, err
	}
	all := make([]*definition.Definition, 0, len(names))
	for _, name := range names {
		document, err := documents.ReadFile(name)
		if err != nil {
			return nil, err
		}
		d, err := definition.Parse(document)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, d)
	}
	return all, nil
}
