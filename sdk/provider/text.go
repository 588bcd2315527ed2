package provider

import "strings"

// Text is a sentence in the interface's languages. EN is required, RU falls
// back to it.
type Text struct {
	EN string `json:"en,omitempty"`
	RU string `json:"ru,omitempty"`
}

// In returns the text in a language: "ru" and its regions, else English.
func (t Text) In(lang string) string {
	if t.RU != "" && (lang == "ru" || strings.HasPrefix(lang, "ru-")) {
		return t.RU
	}
	return t.EN
}

// IsZero reports whether the text is empty.
func (t Text) IsZero() bool { return t == Text{} }
