package main

import (
	"errors"
	"testing"

	"github.com/evergrant/evergrant/sdk/provider"
)

func TestTheTwoHostsFollowFromTheServersName(t *testing.T) {
	want := endpoints{
		authorize: "https://auth-lk-ofd.taxcom.ru/core/connect/authorize", token: "https://lk-ofd.taxcom.ru/core/connect/token",
	}
	for _, entered := range []string{
		"lk-ofd", " LK-OFD ", "lk-ofd.taxcom.ru", "auth-lk-ofd.taxcom.ru", "https://lk-ofd.taxcom.ru/ApiHelp/", "https://auth-lk-ofd.taxcom.ru",
	} {
		if got, err := endpointsOf(service(optionServer, entered)); err != nil || got != want {
			t.Errorf("%q gives %+v, %v", entered, got, err)
		}
	}
}

func TestFullAddressesGoBeforeTheName(t *testing.T) {
	for name, tc := range map[string]struct {
		authorize, token string
		want             endpoints
	}{
		"hosts": {"http://a.local:1", "http://t.local:2/", endpoints{
			authorize: "http://a.local:1/core/connect/authorize", token: "http://t.local:2/core/connect/token",
		}},
		"with the folder": {"https://a.local/core/", "https://t.local/ofd/core", endpoints{
			authorize: "https://a.local/core/connect/authorize", token: "https://t.local/ofd/core/connect/token",
		}},
		"whole": {"https://a.local/connect/authorize", "https://t.local/oauth/connect/token/", endpoints{
			authorize: "https://a.local/connect/authorize", token: "https://t.local/oauth/connect/token",
		}},
		"one of them": {"", "https://T.local", endpoints{
			authorize: "https://auth-lk-ofd.taxcom.ru/core/connect/authorize", token: "https://t.local/core/connect/token",
		}},
	} {
		got, err := endpointsOf(service(optionServer, "lk-ofd", optionAuthorizeBase, tc.authorize, optionTokenBase, tc.token))
		if err != nil || got != tc.want {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, tc.want)
		}
	}
}

func TestAnAddressThatCannotBeReadNamesTheOption(t *testing.T) {
	for name, tc := range map[string]struct {
		svc    provider.Service
		option string
	}{
		"nothing":               {service(), optionServer},
		"one address only":      {service(optionAuthorizeBase, "https://a.local"), optionServer},
		"a host elsewhere":      {service(optionServer, "kassa.example.com"), optionServer},
		"a host that pretends":  {service(optionServer, "taxcom.ru.example.com"), optionServer},
		"user info":             {service(optionServer, "lk-ofd@example.com/.taxcom.ru"), optionServer},
		"a port":                {service(optionServer, "lk-ofd:8080"), optionServer},
		"the bare domain":       {service(optionServer, ".taxcom.ru"), optionServer},
		"a query":               {service(optionServer, "lk-ofd", optionTokenBase, "https://t.local/?a=1"), optionTokenBase},
		"no scheme":             {service(optionServer, "lk-ofd", optionAuthorizeBase, "a.local"), optionAuthorizeBase},
		"user info in the base": {service(optionServer, "lk-ofd", optionTokenBase, "https://u:p@t.local"), optionTokenBase},
	} {
		_, err := endpointsOf(tc.svc)
		e, ok := errors.AsType[*provider.Error](err)
		if !ok || e.Kind != provider.Blocked || e.Option != tc.option || e.Remedy.EN == "" || e.Remedy.RU == "" {
			t.Errorf("%s: got %+v, want %s", name, e, tc.option)
		}
	}
}
