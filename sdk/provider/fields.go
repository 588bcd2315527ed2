package provider

import (
	"fmt"
	"log/slog"
)

// Fields are the values that a person entered for a login or a static key, by name, of the
// types that the schema gives them. They are secret and never printed.
type Fields map[string]any

// Text returns a text, or "" if it is absent.
func (f Fields) Text(name string) string {
	v, _ := f[name].(string)
	return v
}

// LogValue implements slog.LogValuer; it shows the number of fields alone.
func (f Fields) LogValue() slog.Value { return slog.IntValue(len(f)) }

// GoString keeps the values out of %#v.
func (f Fields) GoString() string { return "provider.Fields{…}" }

// Format implements fmt.Formatter: no verb prints a value.
func (f Fields) Format(s fmt.State, _ rune) { _, _ = fmt.Fprintf(s, "%d fields", len(f)) }
