package i18n

import "strings"

// Words are a sentence of the hub's own in the interface's languages, for code that does not
// know yet who reads it, such as a check of what was entered. A sentence that only pages use
// is a key of the catalogues instead. EN is required, RU falls back to it.
type Words struct{ EN, RU string }

// In returns the sentence in a language: "ru" and its regions, else English.
func (w Words) In(lang string) string {
	if w.RU != "" && (lang == Russian || strings.HasPrefix(lang, Russian+"-")) {
		return w.RU
	}
	return w.EN
}

// IsZero reports whether nothing is said.
func (w Words) IsZero() bool { return w == Words{} }
