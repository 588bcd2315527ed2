package providertest

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// carries reports whether a request holds one of the values, in whatever form.
func carries(req *providerplugin.HTTPRequest, values []string) bool {
	texts := []string{req.URL, string(req.Body)}
	for _, name := range slices.Sorted(maps.Keys(req.Header)) {
		for _, v := range req.Header[name] {
			texts = append(texts, v, decoded(v))
		}
	}
	return slices.ContainsFunc(texts, func(text string) bool { return holdsSecret(text, values) != "" })
}

// decoded is the base64-decoded content of an Authorization header.
func decoded(header string) string {
	credentials := header[strings.LastIndex(header, " ")+1:]
	plain, err := base64.StdEncoding.DecodeString(credentials)
	if err != nil {
		return ""
	}
	return string(plain)
}

// holdsSecret returns the first secret that a text holds, plain or encoded, or
// "".
func holdsSecret(text string, secrets []string) string {
	for _, s := range secrets {
		if s == "" {
			continue
		}
		quoted, _ := json.Marshal(s) // a string always encodes
		plain := []string{
			s, url.QueryEscape(s), url.PathEscape(s), strings.ToLower(url.QueryEscape(s)),
			string(quoted[1 : len(quoted)-1]), hex.EncodeToString([]byte(s)),
		}
		for _, form := range slices.Concat(plain, base64Forms(s)) {
			if strings.Contains(text, form) {
				return s
			}
		}
	}
	return ""
}

// base64Forms are the base64 encodings of a secret at each offset in the encoded text, as
// behind the client_id of HTTP Basic, without the characters that depend on its
// surroundings.
func base64Forms(secret string) (forms []string) {
	if len(secret) < 6 {
		return nil // too short to mean anything
	}
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for before := range 3 {
			text := encoding.EncodeToString(append(make([]byte, before), secret...))
			forms = append(forms, text[(before*8+5)/6:(before+len(secret))*8/6])
		}
	}
	return forms
}

// describeRequest names a request without its query, headers and body.
func describeRequest(req *providerplugin.HTTPRequest) string {
	address, _, _ := strings.Cut(req.URL, "?")
	return fmt.Sprintf("%s %s", req.Method, address)
}
