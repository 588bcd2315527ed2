package main

import (
	"errors"
	"net/url"
	"testing"

	"github.com/evergrant/evergrant/sdk/provider"
)

func TestAPortalIsUnderstoodAsPeopleWriteIt(t *testing.T) {
	for entered, want := range map[string]string{
		"corezoid":                             "https://corezoid.bitrix24.ru",
		" Corezoid ":                           "https://corezoid.bitrix24.ru",
		"b24-abc123":                           "https://b24-abc123.bitrix24.ru",
		"acme.bitrix24.com":                    "https://acme.bitrix24.com",
		"ACME.Bitrix24.COM.":                   "https://acme.bitrix24.com",
		"acme.bitrix24.com.br":                 "https://acme.bitrix24.com.br",
		"https://acme.bitrix24.de/stream/?a=1": "https://acme.bitrix24.de",
		"http://acme.bitrix24.by":              "https://acme.bitrix24.by",
		"acme.bitrix24.kz:443":                 "https://acme.bitrix24.kz",
		"http://b24-dev-80.local":              "http://b24-dev-80.local",
		"http://b24-dev-80.local:80/":          "http://b24-dev-80.local",
		"http://b24-dev-80.local:8080/crm/":    "http://b24-dev-80.local:8080",
		"b24.example.org:8443":                 "https://b24.example.org:8443",
		"http://localhost":                     "http://localhost",
		"http://192.168.1.10:8080":             "http://192.168.1.10:8080",
		"http://[fd00::1]:8080":                "http://[fd00::1]:8080",
		"http://b24_test.lan":                  "http://b24_test.lan",
		"xn--24-9kc.xn--p1ai":                  "https://xn--24-9kc.xn--p1ai",
	} {
		got, err := portalOf(service(entered))
		if err != nil || got != want {
			t.Errorf("%q is %q, %v; want %q", entered, got, err, want)
		}
		u, err := url.Parse(got + "/oauth/authorize/")
		host := provider.Host{Pattern: pattern(got)}
		if _, ok := provider.MatchHost([]provider.Host{host}, provider.Service{}, u); err != nil || !ok {
			t.Errorf("the pattern %q does not allow %q", host.Pattern, got)
		}
	}
}

func TestAPortalThatCannotBeReadNamesTheOption(t *testing.T) {
	for _, entered := range []string{
		"", " ", "acme bitrix", "https://", "ftp://acme.bitrix24.com", "https://user:pass@acme.bitrix24.com",
		"*.bitrix24.com", "acme.bitrix24.com@evil.example", "javascript:alert(1)", "портал.рф", "http://a..b", "acme.bitrix24.com:port",
	} {
		_, err := portalOf(service(entered))
		e, ok := errors.AsType[*provider.Error](err)
		if !ok || e.Kind != provider.Blocked || e.Option != optionPortal || e.Remedy.EN == "" || e.Remedy.RU == "" {
			t.Errorf("%q gave %v", entered, err)
		}
	}
}

func TestTheBrowserGoesToThePortalWithNothingButClientAndState(t *testing.T) {
	got, err := bitrix24{}.AuthCodeURL(t.Context(), &provider.AuthCodeURLRequest{
		Call: provider.Call{Service: service("http://b24-dev-80.local:8080")}, State: "a+b", RedirectURI: "https://hub.example/callback/crm",
	})
	if want := "http://b24-dev-80.local:8080/oauth/authorize/?client_id=local.1&state=a%2Bb"; err != nil || got.URL != want {
		t.Errorf("got %v, %v; want %s", got, err, want)
	}
}
