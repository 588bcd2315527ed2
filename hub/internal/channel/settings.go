package channel

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
)

// Settings are the answers to Fields of a channel, by name, secrets among them.
// However they are printed, only the names are; fmt cannot ask them in an
// unexported field of a struct, so such a struct is not for printing.
type Settings map[string]string

// String implements fmt.Stringer with the names that are set.
func (s Settings) String() string {
	return "settings[" + strings.Join(slices.Sorted(maps.Keys(s)), " ") + "]"
}

// GoString implements fmt.GoStringer as String does.
func (s Settings) GoString() string { return s.String() }

// Format implements fmt.Formatter, so that no verb reaches the values.
func (s Settings) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.String())) }

// LogValue implements slog.LogValuer as String does.
func (s Settings) LogValue() slog.Value { return slog.StringValue(s.String()) }

// of returns what holds for a setting: the answer without spaces around it, or
// the field's default.
func (s Settings) of(k Kind, name string) string {
	if v := strings.TrimSpace(s[name]); v != "" {
		return v
	}
	for _, f := range fields[k] {
		if f.Name == name {
			return f.Default
		}
	}
	return ""
}
