package egress

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// carriesSecret reports whether a request holds the client secret in one of the
// forms that clients send: plain, percent-encoded, or inside Basic credentials.
// It guards against mistakes of honest plugins; a hostile one is stopped by the
// list of hosts.
func carriesSecret(req *providerplugin.HTTPRequest, secret string) bool {
	if secret == "" {
		return false
	}
	if len(secret) < leastSecret {
		return carriesValue(req, secret)
	}
	forms := []string{secret, url.QueryEscape(secret), url.PathEscape(secret)}
	for _, form := range forms {
		if strings.Contains(req.URL, form) || bytes.Contains(req.Body, []byte(form)) {
			return true
		}
	}
	for _, values := range req.Header {
		for _, v := range values {
			if holdsAny(v, forms) || holdsAny(decoded(v), forms) {
				return true
			}
		}
	}
	return false
}

func holdsAny(s string, forms []string) bool {
	for _, form := range forms {
		if s != "" && strings.Contains(s, form) {
			return true
		}
	}
	return false
}

// decoded is the text behind a header value such as "Basic dXNlcjpwYXNz".
func decoded(v string) string {
	_, credentials, found := strings.Cut(v, " ")
	if !found {
		credentials = v
	}
	plain, err := base64.StdEncoding.DecodeString(credentials)
	if err != nil {
		plain, err = base64.RawURLEncoding.DecodeString(credentials)
	}
	if err != nil {
		return ""
	}
	return string(plain)
}

// leastSecret is the shortest secret that is looked for anywhere in a request. A shorter
// one is in most addresses by chance: it counts only where it is a whole value.
const leastSecret = 8

// carriesValue reports whether a request holds the secret as a whole value: of a
// parameter, of a field of a form, of a header, or as the password of Basic credentials.
func carriesValue(req *providerplugin.HTTPRequest, secret string) bool {
	values := url.Values{}
	if u, err := url.Parse(req.URL); err == nil {
		values = u.Query()
	}
	if form, err := url.ParseQuery(string(req.Body)); err == nil {
		for name, more := range form {
			values[name] = append(values[name], more...)
		}
	}
	for _, those := range values {
		if slices.Contains(those, secret) {
			return true
		}
	}
	for _, those := range req.Header {
		for _, v := range those {
			_, credentials, _ := strings.Cut(v, " ")
			_, password, basic := strings.Cut(decoded(v), ":")
			if v == secret || credentials == secret || basic && (password == secret || password == url.QueryEscape(secret)) {
				return true
			}
		}
	}
	var fields map[string]any
	if json.Unmarshal(req.Body, &fields) == nil {
		for _, v := range fields {
			if v == secret {
				return true
			}
		}
	}
	return false
}
