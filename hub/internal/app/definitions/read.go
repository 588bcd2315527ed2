package definitions

import (
	"context"

	"github.com/evergrant/evergrant/hub/internal/definitions"
	"github.com/evergrant/evergrant/sdk/definition"
)

// List reads all definitions, by name; plugin is why those that are shipped are missing.
func (d *Definitions) List(ctx context.Context) (items []definitions.Item, plugin, err error) {
	return d.o.Definitions.List(ctx)
}

// One reads a definition. Errors: store.ErrNotFound.
func (d *Definitions) One(ctx context.Context, name string) (definitions.Item, error) {
	return d.o.Definitions.One(ctx, name)
}

// Check reads a document as it would be served. Errors: *definitions.RefusedError with
// problems that have lines.
func (d *Definitions) Check(text string) (*definition.Definition, error) {
	return d.o.Definitions.Check(text)
}

// Folder is the watched one, "" for none, with its files that are not served as they are.
func (d *Definitions) Folder() (dir string, notes []definitions.FileNote) {
	f := d.o.Definitions.Folder()
	return f.Dir(), f.Notes()
}

// Refused is why this replica does not serve all that is enabled; "" if it does.
func (d *Definitions) Refused() string { return d.o.Definitions.Trouble() }
