package pluginhost

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// longestEncoded bounds the secrets, in bytes, of which more than the plain forms are
// known.
const longestEncoded = 4 << 10

// formsOf are the ways in which a secret is commonly written, the longest first: as it
// is, within JSON, in an address or a form, in base64 also within a longer text (as
// HTTP Basic has it), in hex. A secret of several lines is known by each of them too.
func formsOf(secret string) []string {
	forms := []string{secret}
	if len(secret) <= longestEncoded {
		forms = slices.Concat(forms, quotedForms(secret), escapedForms(secret), base64Forms(secret))
		plain := hex.EncodeToString([]byte(secret))
		forms = append(forms, plain, strings.ToUpper(plain))
	}
	if strings.Contains(secret, "\n") {
		for line := range strings.Lines(secret) {
			if line = strings.TrimSpace(line); len(line) >= 2*shortestHidden {
				forms = append(forms, line)
			}
		}
	}
	forms = slices.DeleteFunc(forms, func(f string) bool { return len(f) < shortestHidden })
	slices.SortFunc(forms, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	return slices.Compact(forms)
}

// quotedForms are those within JSON and quoted text.
func quotedForms(secret string) []string {
	var plain bytes.Buffer
	encoder := json.NewEncoder(&plain)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(secret) != nil {
		return nil
	}
	escaped, err := json.Marshal(secret)
	if err != nil {
		return nil
	}
	forms := []string{unquoted(strings.TrimSpace(plain.String())), unquoted(string(escaped)), unquoted(strconv.Quote(secret)), unquoted(strconv.QuoteToASCII(secret))}
	for _, form := range slices.Clone(forms) {
		forms = append(forms, strings.ReplaceAll(form, "/", `\/`))
	}
	return forms
}

// unquoted takes the quotes off that are around a text.
func unquoted(quoted string) string { return quoted[1 : len(quoted)-1] }

var percentRE = regexp.MustCompile(`%[0-9A-F]{2}`)

// escapedForms are those within addresses and forms.
func escapedForms(secret string) []string {
	query := url.QueryEscape(secret)
	forms := []string{query, strings.ReplaceAll(query, "+", "%20"), url.PathEscape(secret), strings.ReplaceAll(url.PathEscape(secret), "%2F", "/"), allEscaped(secret)}
	for _, form := range slices.Clone(forms) {
		forms = append(forms, percentRE.ReplaceAllStringFunc(form, strings.ToLower))
	}
	return forms
}

// allEscaped escapes all but letters and digits.
func allEscaped(secret string) string {
	var b strings.Builder
	for _, c := range []byte(secret) {
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
			b.WriteByte(c)
			continue
		}
		fmt.Fprintf(&b, "%%%02X", c)
	}
	return b.String()
}

// base64Forms are the base64 encodings of a secret at each offset in the encoded text,
// without the characters that depend on its surroundings.
func base64Forms(secret string) (forms []string) {
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		forms = append(forms, encoding.EncodeToString([]byte(secret)))
		for before := range 3 {
			text := encoding.EncodeToString(append(make([]byte, before), secret...))
			first, last := (before*8+5)/6, (before+len(secret))*8/6
			forms = append(forms, text[first:last])
		}
	}
	return forms
}
