package providertest

import (
	"encoding/base64"
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

// decoded is what an Authorization header says in base64.
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
		for _, form := range []string{
			s, url.QueryEscape(s), url.PathEscape(s), strings.ToLower(url.QueryEscape(s)),
			strings.Trim(string(quoted), `"`), base64.RawStdEncoding.EncodeToString([]byte(s)),
			base64.RawURLEncoding.EncodeToString([]byte(s)),
		} {
			if strings.Contains(text, form) {
				return s
			}
		}
	}
	return ""
}

// describeRequest names a request without its query, headers and body.
func describeRequest(req *providerplugin.HTTPRequest) string {
	address, _, _ := strings.Cut(req.URL, "?")
	return fmt.Sprintf("%s %s", req.Method, address)
}
