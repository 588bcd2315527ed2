package view

import (
	"slices"

	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/sdk/provider"
)

// Right is a scope in plain words.
type Right struct {
	// Name is the scope as the service names it.
	Name string
	// Title is what the provider's catalogue calls it; none for what is not in it.
	Title provider.Text
}

// RightsOf names scopes of a service in the words of its provider's catalogue.
func RightsOf(s service.Service, scopes []string) []Right {
	var catalogue []provider.Scope
	if s.Description != nil {
		catalogue = s.Description.Scopes
	}
	rights := make([]Right, 0, len(scopes))
	for _, name := range scopes {
		right := Right{Name: name}
		if i := slices.IndexFunc(catalogue, func(x provider.Scope) bool { return x.Name == name }); i >= 0 {
			right.Title = catalogue[i].Title
		}
		rights = append(rights, right)
	}
	return rights
}

// ScopeTitlesOf are the catalogue's words for scopes, by name.
func ScopeTitlesOf(d provider.Description) map[string]provider.Text {
	titles := make(map[string]provider.Text, len(d.Scopes))
	for _, x := range d.Scopes {
		titles[x.Name] = x.Title
	}
	return titles
}
