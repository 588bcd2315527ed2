package pluginhost

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

const redacted = "[redacted]"

var (
	authorizationRE = regexp.MustCompile(`(?i)\b(bearer|basic|dpop)\s+[^\s"',;]+`)
	namedSecretRE   = regexp.MustCompile(`(?i)(access_token|refresh_token|id_token|client_secret|code_verifier|device_code|password|assertion)(\\?["']?\s*[=:]\s*\\?["']?)[^\s"'\\&,;}]+`)
	longWordRE      = regexp.MustCompile(`[A-Za-z0-9+/_=.~-]{20,}`)
	plainPartRE     = regexp.MustCompile(`^([a-z]*|[A-Z]*|([A-Z]?[a-z]+){1,6})[0-9]{0,4}$`)
)

// redact removes what is shaped like a token or secret: the values of
// well-known parameters, credentials of an Authorization header, and long words
// of base64, hex or JWT. Paths and identifiers made of plain words stay, so that
// a stack trace can be read.
func redact(s string) string {
	s = authorizationRE.ReplaceAllString(s, "$1 "+redacted)
	s = namedSecretRE.ReplaceAllString(s, "$1$2"+redacted)
	return longWordRE.ReplaceAllStringFunc(s, func(word string) string {
		if isPlain(word) {
			return word
		}
		return redacted
	})
}

// isPlain distinguishes a path or an identifier from a token: it consists of short parts
// that look like words, perhaps with a number at the end.
func isPlain(word string) bool {
	parts := strings.FieldsFunc(word, func(r rune) bool { return strings.ContainsRune("/._=~+-", r) })
	for _, part := range parts {
		if len(part) >= 20 || !plainPartRE.MatchString(part) {
			return false
		}
	}
	return true
}

// printable makes text of a plugin fit for a log line: valid UTF-8 in which
// control characters are written as escapes.
func printable(s string) string {
	if isPrintable(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && size == 1:
			b.WriteString(`\x` + strconv.FormatUint(uint64(s[0])|0x100, 16)[1:])
		case r == '\t' || unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		s = s[size:]
	}
	return b.String()
}

func isPrintable(s string) bool {
	for i, r := range s {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(s[i:]); size == 1 {
				return false
			}
		}
		if r != '\t' && !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}
