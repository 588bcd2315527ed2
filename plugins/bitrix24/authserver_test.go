package main

import (
	"errors"
	"net/url"
	"testing"

	"github.com/evergrant/evergrant/sdk/provider"
)

func TestACodeIsExchangedAtTheServerThatHoldsIt(t *testing.T) {
	const own = "http://oauth.local:8888"
	for name, tc := range map[string]struct {
		portal, auth, domain string
		want                 string // "" is a refusal
	}{
		"the redirect names it":               {"acme.bitrix24.com", "", "oauth.bitrix24.tech", russianServer},
		"the redirect names the other":        {"corezoid", "", "oauth.bitrix.info", worldServer},
		"as an address":                       {"corezoid", "", "https://oauth.bitrix.info/rest/", worldServer},
		"in capitals, with a port":            {"corezoid", "", "OAuth.Bitrix.info:443", worldServer},
		"a bare code of a Russian portal":     {"corezoid", "", "", russianServer},
		"a bare code of a Kazakh portal":      {"acme.bitrix24.kz", "", "", russianServer},
		"a bare code of a Belarusian portal":  {"acme.bitrix24.by", "", "", russianServer},
		"a bare code of a box in .рф":         {"xn--24-9kc.xn--p1ai", "", "", russianServer},
		"a bare code of a portal elsewhere":   {"acme.bitrix24.de", "", "", worldServer},
		"a bare code of a box":                {"http://b24-dev-80.local", "", "", worldServer},
		"a server of one's own":               {"http://b24.local", own + "/", "", own},
		"which the redirect cannot change":    {"http://b24.local", own, "oauth.bitrix.info", own},
		"entered with the endpoint":           {"http://b24.local", own + "/sso/oauth/token/", "", own + "/sso"},
		"the vendor's, entered by its host":   {"acme.bitrix24.com", "oauth.bitrix24.tech", "", russianServer},
		"the vendor's, entered without TLS":   {"acme.bitrix24.com", "http://oauth.bitrix24.tech", "oauth.bitrix.info", russianServer},
		"a foreign server":                    {"corezoid", "", "elsewhere.example", ""},
		"a foreign server with a fine name":   {"corezoid", "", "oauth.bitrix.info.elsewhere.example", ""},
		"a fine name before a foreign server": {"corezoid", "", "oauth.bitrix.info@elsewhere.example", ""},
		"a fine name behind a foreign server": {"corezoid", "", "elsewhere.example#oauth.bitrix.info", ""},
		"a fine name at another port":         {"corezoid", "", "oauth.bitrix.info:8443", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := serverOfCallback(service(tc.portal, optionAuthServer, tc.auth), url.Values{"server_domain": {tc.domain}})
			if got != tc.want || (err == nil) == (tc.want == "") {
				t.Errorf("got %q, %v; want %q", got, err, tc.want)
			}
			if e, ok := errors.AsType[*provider.Error](err); err != nil && (!ok || e.Kind != provider.Blocked || e.Option != optionAuthServer) {
				t.Errorf("the refusal is %v", err)
			}
		})
	}
}

func TestAGrantIsRenewedWhereItsLastReplySays(t *testing.T) {
	const own = "https://oauth.local"
	for name, tc := range map[string]struct {
		auth  string
		extra map[string]any
		want  string
	}{
		"the last reply names it":                {"", map[string]any{"server_endpoint": "https://oauth.bitrix.info/rest/", extraAuthServer: russianServer}, worldServer},
		"the last reply does not":                {"", map[string]any{extraAuthServer: worldServer}, worldServer},
		"nothing is known":                       {"", nil, russianServer},
		"the last reply names a foreign one":     {"", map[string]any{"server_endpoint": "https://elsewhere.example/rest/", extraAuthServer: worldServer}, worldServer},
		"everything is foreign":                  {"", map[string]any{"server_endpoint": "https://elsewhere.example/", extraAuthServer: "https://elsewhere.example"}, russianServer},
		"an administrator's goes before":         {own, map[string]any{"server_endpoint": "https://oauth.bitrix.info/rest/"}, own},
		"the administrator's was given up":       {"", map[string]any{"server_endpoint": "https://oauth.local/rest/", extraAuthServer: own}, russianServer},
		"a reply with something else in a field": {"", map[string]any{"server_endpoint": 7}, russianServer},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := serverOfToken(service("corezoid", optionAuthServer, tc.auth), provider.Token{Extra: tc.extra})
			if err != nil || got != tc.want {
				t.Errorf("got %q, %v; want %q", got, err, tc.want)
			}
		})
	}
}

func TestAnAuthorizationServerThatCannotBeReadNamesTheOption(t *testing.T) {
	for _, entered := range []string{"ftp://oauth.local", "https://u:p@oauth.local", "https://oauth.local/?a=1", "*.bitrix.info", "two words"} {
		_, err := ownServer(service("acme", optionAuthServer, entered))
		if e, ok := errors.AsType[*provider.Error](err); !ok || e.Option != optionAuthServer || e.Remedy.RU == "" {
			t.Errorf("%q gave %v", entered, err)
		}
	}
}
