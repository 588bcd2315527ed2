package oauth

import (
	"encoding/base64"
	"encoding/json"
	"html"
	"net/url"
	"slices"
	"strings"
	"unicode"
)

const (
	// maxQuote bounds how much of a service's text is quoted, in runes.
	maxQuote = 200
	// minSecret is the shortest value that is looked for. Shorter ones are
	// words of the language more often than secrets.
	minSecret = 4
	redacted  = "[redacted]"
)

// quote makes a service's text fit for an error: no secret, one line, at most
// maxQuote runes. Secrets go first, so that none is cut in half and kept.
func quote(text string, secrets []string) string {
	text = redact(text, secrets)
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	return trim(strings.Join(strings.Fields(redact(text, secrets)), " "), maxQuote)
}

func trim(text string, runes int) string {
	if r := []rune(text); len(r) > runes {
		return string(r[:runes]) + "…"
	}
	return text
}

func redact(text string, secrets []string) string {
	for _, form := range formsOf(secrets) {
		text = strings.ReplaceAll(text, form, redacted)
	}
	return text
}

// formsOf lists the spellings under which secrets may be echoed, longest first,
// so that a secret inside another leaves no rest of it.
func formsOf(secrets []string) []string {
	var forms []string
	for _, s := range secrets {
		if len(s) < minSecret {
			continue
		}
		quoted, _ := json.Marshal(s) // a string always encodes
		forms = append(forms, s,
			url.QueryEscape(s), url.PathEscape(s), lowerHex(url.QueryEscape(s)), url.QueryEscape(url.QueryEscape(s)),
			base64.RawStdEncoding.EncodeToString([]byte(s)), base64.RawURLEncoding.EncodeToString([]byte(s)),
			strings.Trim(string(quoted), `"`), html.EscapeString(s),
			strings.Join(strings.FieldsFunc(s, unicode.IsControl), " "),
		)
	}
	slices.SortFunc(forms, func(a, b string) int { return len(b) - len(a) })
	return slices.DeleteFunc(slices.Compact(forms), func(f string) bool { return len(f) < minSecret })
}

// lowerHex writes %2F as %2f.
func lowerHex(escaped string) string {
	b := []byte(escaped)
	for i := 0; i+2 < len(b); i++ {
		if b[i] == '%' {
			copy(b[i+1:i+3], strings.ToLower(string(b[i+1:i+3])))
		}
	}
	return string(b)
}
