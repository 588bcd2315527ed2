package view

import (
	"github.com/evergrant/evergrant/hub/internal/definitions"
	"github.com/evergrant/evergrant/sdk/definition"
	"github.com/evergrant/evergrant/sdk/provider"
)

// Definitions is the list of definitions.
type Definitions struct {
	Rows []Definition
	// Folder is the watched one; "" is none. Notes are of its files that are not served.
	Folder string
	Notes  []definitions.FileNote
	// Plugin is why what is shipped is missing, Refused why what is enabled is not served
	// here; both "" if all is well.
	Plugin, Refused string
}

// Definition is one of them, and a comparison of two of its versions.
type Definition struct {
	definitions.Item
	Icon Icon
	// Compared is the version that is compared with the enabled one; nil without one.
	Compared *definitions.Compared
	// Losses is what services would lose by a version that was refused for that just now.
	Losses DefinitionLosses
	// Refused is as in Definitions.
	Refused string
}

// DefinitionLosses is what services would lose by an act on a definition.
type DefinitionLosses struct {
	Name, Act string
	Version   int64
	Said      provider.Text
}

// State is a word for what is served: shipped, folder, web, off, or replaced by a plugin.
func (d Definition) State() string {
	switch v := d.Enabled(); {
	case d.ServedBy != "":
		return "replaced"
	case v != nil:
		return v.Origin
	case d.Shipped != nil:
		return "shipped"
	}
	return "off"
}

// DefinitionEditor is the form of a definition.
type DefinitionEditor struct {
	// From is the definition that it began with; "" is none.
	From string
	Text string
	// Said is why it was not taken; Problems have lines.
	Said     provider.Text
	Problems definition.ParseErrors
	// Checked is set if it was checked and has no problems.
	Checked bool
}

// ProblemsAt are the problems of a line.
func (e DefinitionEditor) ProblemsAt(line int) (here definition.ParseErrors) {
	for _, p := range e.Problems {
		if p.Line == line {
			here = append(here, p)
		}
	}
	return here
}
