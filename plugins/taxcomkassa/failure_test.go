package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/sdk/provider"
)

func TestAPersonIsToldWhatToDo(t *testing.T) {
	for name, tc := range map[string]struct {
		err      *provider.Error
		remedies map[string]provider.Text
		ru       string
	}{
		"a wrong secret":            {provider.Errorf(provider.Blocked, "invalid_client", "no"), exchangeRemedies, "«Аутентификации клиента»"},
		"a refusal without a code":  {provider.Errorf(provider.Blocked, "", "401"), exchangeRemedies, "«Аутентификации клиента»"},
		"a wrong redirect address":  {provider.Errorf(provider.Blocked, "Unauthorized_Client", "no"), exchangeRemedies, "буква в букву"},
		"a used code":               {provider.Errorf(provider.ReauthorizationRequired, "invalid_grant", "no"), exchangeRemedies, "заново"},
		"a token that cannot go on": {provider.Errorf(provider.ReauthorizationRequired, "2109", "no"), prolongRemedies, "Авторизуйтесь"},
		"a method called wrongly":   {provider.Errorf(provider.Blocked, "", "401"), prolongRemedies, "как его вызывать"},
		"an outage":                 {provider.Errorf(provider.Transient, "invalid_client", "503"), exchangeRemedies, ""},
		"nonsense":                  {provider.Errorf(provider.Internal, "", "a page"), exchangeRemedies, ""},
	} {
		e, _ := errors.AsType[*provider.Error](explain(tc.err, tc.remedies))
		if e == nil || !strings.Contains(e.Remedy.RU, tc.ru) || (tc.ru == "") != e.Remedy.IsZero() || (e.Remedy.EN == "") != (tc.ru == "") {
			t.Errorf("%s: %+v", name, e)
		}
	}
}
