package oauth

import (
	"mime"
	"strings"
	"unicode/utf8"
)

// windows1251 are the upper letters of that code page from 0x80 to 0xBF; from 0xC0
// on they are А to я.
const windows1251 = "ЂЃ‚ѓ„…†‡€‰Љ‹ЊЌЋЏђ‘’“”•–—\u0098™љ›њќћџ\u00a0ЎўЈ¤Ґ¦§Ё©Є«¬\u00ad®Ї°±Ііґµ¶·ё№є»јЅѕї"

var windows1251Letters = []rune(windows1251)

// inUTF8 reads a body in its character set. One that names none, or UTF-8, and is no
// UTF-8 is taken for windows-1251, which Russian services send without saying so.
func inUTF8(contentType string, body []byte) []byte {
	if utf8.Valid(body) {
		return body
	}
	_, params, _ := mime.ParseMediaType(contentType)
	latin := false
	switch strings.ToLower(params["charset"]) {
	case "iso-8859-1", "latin1", "windows-1252":
		latin = true
	}
	var b strings.Builder
	b.Grow(2 * len(body))
	for _, c := range body {
		switch {
		case c < 0x80, latin:
			b.WriteRune(rune(c))
		case c >= 0xC0:
			b.WriteRune('А' + rune(c-0xC0))
		default:
			b.WriteRune(windows1251Letters[c-0x80])
		}
	}
	return []byte(b.String())
}
