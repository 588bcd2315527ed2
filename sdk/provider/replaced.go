package provider

import (
	"fmt"
	"maps"
)

// Replaced names an option of an earlier version of a provider, so that services
// stored with it, and processes that still send it, keep their meaning.
type Replaced struct {
	// Option is the earlier name. It must not be an option of the schema any more.
	Option string `json:"option"`
	// Values are the new option's values by the earlier ones, as text: "true" and
	// "false" for a boolean.
	Values map[string]string `json:"values"`
}

// replaced returns what was entered with earlier options under their new names. A
// value that is given under both names counts under the new one. An earlier value
// that has no successor stays, and Validate then reports its option as unknown.
func (s Schema) replaced(entered map[string]any) map[string]any {
	current := entered
	for _, o := range s.Options {
		if o.Replaces == nil {
			continue
		}
		old, given := current[o.Replaces.Option]
		value, known := o.Replaces.Values[fmt.Sprint(old)]
		if !given || !known {
			continue
		}
		current = maps.Clone(current)
		delete(current, o.Replaces.Option)
		if isEmpty(current[o.Name]) {
			current[o.Name] = value
		}
	}
	return current
}
