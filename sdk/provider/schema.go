package provider

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
)

// Schema is the form that an administrator fills in. On the wire it is JSON
// Schema (draft 2020-12), restricted to what a form can show: an object whose
// properties are strings, whole numbers, booleans or lists of strings. Order
// and translations travel in "x-order", "x-title" and "x-description"; "x-replaces"
// names an option of an earlier version, "x-only-if" one that decides whether it is shown.
type Schema struct {
	Options []Option
}

// OptionType is the type of an option's value.
type OptionType string

// The types, named as in JSON Schema.
const (
	OptionString  OptionType = "string"
	OptionInteger OptionType = "integer"
	OptionBoolean OptionType = "boolean"
	OptionList    OptionType = "array"
)

// Option is a field of the form.
type Option struct {
	Name  string
	Type  OptionType // "" is OptionString
	Title Text
	// Help explains what to enter and where to find it.
	Help     Text
	Required bool
	// Default is used when the field is left empty.
	Default any
	// Example is shown in the empty field.
	Example string
	// Choices restricts a string to some values.
	Choices []Choice
	// Pattern is a regular expression (RE2) that the whole string must match.
	Pattern string
	// PatternHint describes the pattern.
	PatternHint Text
	// Format is "" or "uri": an absolute http or https address without user info.
	Format string
	// Secret values are sealed at rest, write-only and never shown again.
	Secret bool
	// Advanced fields are folded away at first.
	Advanced bool
	// Minimum and Maximum bound an integer when they differ.
	Minimum, Maximum int64
	// OnlyIf shows the field only while another option, a string with choices, has one
	// of some values: elsewhere it is without effect. Nil shows it always.
	OnlyIf *OnlyIf
	// Replaces is an option of an earlier version that this one took the place of.
	Replaces *Replaced
}

// OnlyIf names an option and the values of it with which another one has an effect.
type OnlyIf struct {
	Option string   `json:"option"`
	Values []string `json:"values"`
}

// Choice is a value that a string option may take.
type Choice struct {
	Value string
	Title Text
}

// IsZero reports whether the form has no fields.
func (s Schema) IsZero() bool { return len(s.Options) == 0 }

// Option returns the field of a name.
func (s Schema) Option(name string) (Option, bool) {
	i := slices.IndexFunc(s.Options, func(o Option) bool { return o.Name == name })
	if i < 0 {
		return Option{}, false
	}
	return s.Options[i], true
}

type schemaWire struct {
	Schema     string                  `json:"$schema,omitempty"`
	Type       string                  `json:"type"`
	Properties map[string]propertyWire `json:"properties"`
	Required   []string                `json:"required,omitempty"`
	Additional *bool                   `json:"additionalProperties,omitempty"`
}

type propertyWire struct {
	Type         OptionType   `json:"type"`
	Title        string       `json:"title,omitempty"`
	Description  string       `json:"description,omitempty"`
	Default      any          `json:"default,omitempty"`
	Examples     []string     `json:"examples,omitempty"`
	OneOf        []choiceWire `json:"oneOf,omitempty"`
	Pattern      string       `json:"pattern,omitempty"`
	Format       string       `json:"format,omitempty"`
	WriteOnly    bool         `json:"writeOnly,omitempty"`
	Minimum      *int64       `json:"minimum,omitempty"`
	Maximum      *int64       `json:"maximum,omitempty"`
	Items        *itemsWire   `json:"items,omitempty"`
	XOrder       int          `json:"x-order,omitempty"`
	XTitle       *Text        `json:"x-title,omitempty"`
	XDescription *Text        `json:"x-description,omitempty"`
	XPatternHint *Text        `json:"x-pattern-hint,omitempty"`
	XAdvanced    bool         `json:"x-advanced,omitempty"`
	XOnlyIf      *OnlyIf      `json:"x-only-if,omitempty"`
	XReplaces    *Replaced    `json:"x-replaces,omitempty"`
}

type choiceWire struct {
	Const  string `json:"const"`
	Title  string `json:"title,omitempty"`
	XTitle *Text  `json:"x-title,omitempty"`
}

type itemsWire struct {
	Type string `json:"type"`
}

// MarshalJSON writes JSON Schema.
func (s Schema) MarshalJSON() ([]byte, error) {
	w := schemaWire{
		Schema:     "https://json-schema.org/draft/2020-12/schema",
		Type:       "object",
		Properties: make(map[string]propertyWire, len(s.Options)),
		Additional: new(false),
	}
	for i, o := range s.Options {
		w.Properties[o.Name] = o.wire(i + 1)
		if o.Required {
			w.Required = append(w.Required, o.Name)
		}
	}
	return json.Marshal(w)
}

func (o Option) wire(order int) propertyWire {
	p := propertyWire{
		Type: o.Type, Title: o.Title.EN, Description: o.Help.EN, Default: o.Default, Pattern: o.Pattern,
		Format: o.Format, WriteOnly: o.Secret, XOrder: order, XTitle: textWire(o.Title),
		XDescription: textWire(o.Help), XPatternHint: textWire(o.PatternHint), XAdvanced: o.Advanced, XOnlyIf: o.OnlyIf, XReplaces: o.Replaces,
	}
	if p.Type == "" {
		p.Type = OptionString
	}
	if p.Type == OptionList {
		p.Items = &itemsWire{Type: "string"}
	}
	if o.Example != "" {
		p.Examples = []string{o.Example}
	}
	if o.Minimum != o.Maximum {
		p.Minimum, p.Maximum = new(o.Minimum), new(o.Maximum)
	}
	for _, c := range o.Choices {
		p.OneOf = append(p.OneOf, choiceWire{Const: c.Value, Title: c.Title.EN, XTitle: textWire(c.Title)})
	}
	return p
}

// UnmarshalJSON reads the supported part of JSON Schema. A keyword outside it is an
// error, so that an author learns at once what the form cannot show.
func (s *Schema) UnmarshalJSON(data []byte) error {
	var w schemaWire
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&w); err != nil {
		return fmt.Errorf("option schema: %w (supported: string, integer, boolean, array of strings)", err)
	}
	if w.Type != "object" && w.Type != "" {
		return fmt.Errorf("option schema: type is %q, must be object", w.Type)
	}
	names := make([]string, 0, len(w.Properties))
	for name := range w.Properties {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if d := w.Properties[a].XOrder - w.Properties[b].XOrder; d != 0 {
			return d
		}
		return bytes.Compare([]byte(a), []byte(b))
	})
	s.Options = nil
	for _, name := range names {
		o, err := w.Properties[name].option(name)
		if err != nil {
			return err
		}
		o.Required = slices.Contains(w.Required, name)
		s.Options = append(s.Options, o)
	}
	return nil
}

func (p propertyWire) option(name string) (Option, error) {
	o := Option{
		Name: name, Type: p.Type, Title: textOf(p.XTitle, p.Title), Help: textOf(p.XDescription, p.Description),
		Default: p.Default, Pattern: p.Pattern, PatternHint: textOf(p.XPatternHint, ""), Format: p.Format,
		Secret: p.WriteOnly, Advanced: p.XAdvanced, OnlyIf: p.XOnlyIf, Replaces: p.XReplaces,
	}
	switch p.Type {
	case OptionString, OptionInteger, OptionBoolean, OptionList:
	default:
		return o, fmt.Errorf("option %q: type %q is not supported", name, p.Type)
	}
	if p.Format != "" && p.Format != "uri" {
		return o, fmt.Errorf("option %q: format %q is not supported, only uri", name, p.Format)
	}
	if _, err := regexp.Compile(p.Pattern); err != nil {
		return o, fmt.Errorf("option %q: %w", name, err)
	}
	if len(p.Examples) > 0 {
		o.Example = p.Examples[0]
	}
	if p.Minimum != nil {
		o.Minimum = *p.Minimum
	}
	if p.Maximum != nil {
		o.Maximum = *p.Maximum
	}
	for _, c := range p.OneOf {
		o.Choices = append(o.Choices, Choice{Value: c.Const, Title: textOf(c.XTitle, c.Title)})
	}
	return o, nil
}

func textWire(t Text) *Text {
	if t.IsZero() {
		return nil
	}
	return &t
}

func textOf(t *Text, en string) Text {
	if t != nil {
		return *t
	}
	return Text{EN: en}
}
