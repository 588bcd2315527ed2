package view

import "github.com/evergrant/evergrant/sdk/provider"

// Parts are what a connection shares an authorization with.
type Parts struct {
	// Part is the title of the part that the connection holds; zero for one that is
	// authorized itself.
	Part provider.Text
	// MainName and MainTitle are the main connection of a part; "" if that was deleted.
	MainName, MainTitle string
	// MainTrashed is set if it can be put back.
	MainTrashed bool
	// Of are the connections of a main one's parts.
	Of []ConnectionRow
}

// Alone reports whether the connection is a part that cannot be authorized any more, because
// its main connection was deleted.
func (p Parts) Alone() bool { return !p.Part.IsZero() && p.MainName == "" }

// PartTitle is the title of a part in the words of a description, or its name.
func PartTitle(d *provider.Description, name string) provider.Text {
	if d != nil {
		for _, p := range d.Parts {
			if p.Name == name {
				return p.Title
			}
		}
	}
	return provider.Text{EN: name}
}
