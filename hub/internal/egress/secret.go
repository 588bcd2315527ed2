package egress

import (
	"bytes"
	"encoding/base64"
	"net/url"
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
