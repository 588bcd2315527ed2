package view

import "github.com/evergrant/evergrant/sdk/provider"

// ImportForm brings grants in that were obtained elsewhere. It holds no token.
type ImportForm struct {
	ConnectionForm
	// Columns is the header of a table.
	Columns string
}

// Imported is what came of a table.
type Imported struct {
	// Refused is set if a row has a mistake: nothing was imported then.
	Refused bool
	Rows    []ImportedRow
}

// Done counts the imported rows.
func (v Imported) Done() (n int) {
	for _, row := range v.Rows {
		if row.Done {
			n++
		}
	}
	return n
}

// ImportedRow is what came of one row.
type ImportedRow struct {
	Line        int
	Name, Title string
	Done        bool
	Problem     provider.Text
}
