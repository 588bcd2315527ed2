package egress

import (
	"encoding/base64"
	"net/http"
	"testing"

	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// A short secret counts where it is a whole value, a long one anywhere.
func TestAShortSecretIsNotFoundByChance(t *testing.T) {
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("client:x"))
	for name, tc := range map[string]struct {
		secret string
		req    providerplugin.HTTPRequest
		want   bool
	}{
		"a letter of the address":  {"x", providerplugin.HTTPRequest{URL: "https://oauth.example/token?next=1"}, false},
		"a letter of a header":     {"x", providerplugin.HTTPRequest{URL: "https://oauth.example/", Header: http.Header{"Accept": {"text/html"}}}, false},
		"a parameter":              {"x", providerplugin.HTTPRequest{URL: "https://oauth.example/?client_secret=x"}, true},
		"a field of a form":        {"x", providerplugin.HTTPRequest{URL: "https://oauth.example/", Body: []byte("client_id=client&client_secret=x")}, true},
		"a field of JSON":          {"x", providerplugin.HTTPRequest{URL: "https://oauth.example/", Body: []byte(`{"client_secret":"x"}`)}, true},
		"a password":               {"x", providerplugin.HTTPRequest{URL: "https://oauth.example/", Header: http.Header{"Authorization": {basic}}}, true},
		"a long one in an address": {"long-enough", providerplugin.HTTPRequest{URL: "https://oauth.example/long-enough/x"}, true},
	} {
		if got := carriesSecret(&tc.req, tc.secret); got != tc.want {
			t.Errorf("%s: %t, want %t", name, got, tc.want)
		}
	}
}
