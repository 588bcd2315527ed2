package authflow

import (
	"net/url"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/sdk/provider"
)

// FuzzCallback reads what a browser brings back, as a query, a form or pasted by a person:
// it is a code, an error or nothing, never both a code and another issuer's.
func FuzzCallback(f *testing.F) {
	for _, seed := range []string{
		"state=s&code=c", "error=access_denied&error_description=no&state=s", "code=c&code=d&state=s&state=t", "iss=https://evil.example&code=c&state=s",
		"https://hub.example/callback/crm?code=c&state=s#x", "hub.example/callback?code=4%2F0AX", "«4/0AX4XfWh»", "code", "%zz", "a=b;c=d", "http://[::1]:namedport/?code=x", "?code=1#code=2", "\x00code=1",
	} {
		f.Add(seed)
	}
	svc := service.Service{Name: "crm", Description: &provider.Description{Issuer: "https://as.example", IssuerSent: true}}
	f.Fuzz(func(t *testing.T, text string) {
		for _, params := range []url.Values{readPasted(text), queryOf(text)} {
			if cause := errorOf(params); cause != nil && (!utf8.ValidString(cause.Message+cause.Code) || strings.ContainsFunc(cause.Message+cause.Code, unicode.IsControl)) {
				t.Errorf("%q is the error %+v", text, cause)
			}
			if iss := params.Get("iss"); iss != "" && iss != svc.Description.Issuer && !wrongIssuer(svc, params) {
				t.Errorf("%q is taken for an answer of %s", text, svc.Description.Issuer)
			}
		}
		if params := readPasted(text); len(params.Get("code")) > len(text) {
			t.Errorf("%q holds the code %q", text, params.Get("code"))
		}
	})
}

func queryOf(text string) url.Values {
	params, _ := url.ParseQuery(text) // what can be read of it, as net/http does
	return params
}
