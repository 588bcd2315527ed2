package view

import "github.com/evergrant/evergrant/hub/internal/i18n"

// ImportForm brings grants in that were obtained elsewhere. It holds no token.
type ImportForm struct {
	ConnectionForm
	// Columns is the header of a table.
	Columns string
	// Refill is "all" if the browser fills in again the table that was pasted.
	Refill string
	// Try is whether a table is renewed at once: "", "rows" or "all".
	Try string
	// Again is set if the grant has to be entered again.
	Again bool
}

// Imported is a table that was refused: some of its rows have a mistake.
type Imported struct {
	// Refill are the lines of the table that was pasted, for the browser to fill them in
	// again: "all".
	Refill string
	// Try is whether the table is renewed at once: "", "rows" or "all".
	Try string
	// Rows are the first that have a mistake, More how many further ones have.
	Rows []ImportedRow
	More int
}

// ImportedRow is a row with a mistake.
type ImportedRow struct {
	Line        int
	Name, Title string
	Problem     i18n.Words
}
