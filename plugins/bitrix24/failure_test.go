package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/sdk/provider"
)

func TestAPersonIsToldWhatToDo(t *testing.T) {
	for code, ru := range map[string]string{
		"wrong_client": "client_id", "invalid_client": "client_secret", "NOT_INSTALLED": "не установлено", "Payment_Required": "Оплатите",
		"PORTAL_DELETED": "удалён", "USER_ACCESS_ERROR": "правах доступа", "insufficient_scope": "карточке", "expired_token": "30 секунд",
	} {
		kind := codes()[strings.ToLower(code)]
		e, _ := errors.AsType[*provider.Error](explain(provider.Errorf(kind, code, "refused"), spentCode))
		if e == nil || !strings.Contains(e.Remedy.RU, ru) || e.Remedy.EN == "" {
			t.Errorf("%s: %+v", code, e)
		}
	}
}

func TestAnOutageIsNotExplainedAsARefusal(t *testing.T) {
	e, _ := errors.AsType[*provider.Error](explain(provider.Errorf(provider.Transient, "invalid_grant", "502"), spentRefreshToken))
	if e == nil || !e.Remedy.IsZero() {
		t.Errorf("got %+v", e)
	}
}

func TestOnlyWordsAboutTheGrantEndIt(t *testing.T) {
	for code, m := range classifications {
		if code != strings.ToLower(code) {
			t.Errorf("%s would never be found: codes are compared in lower case", code)
		}
		switch {
		case m.kind == provider.Blocked && (m.remedy.EN == "" || m.remedy.RU == ""):
			t.Errorf("%s needs the operator, who is not told what to do", code)
		case m.kind == provider.ReauthorizationRequired && code != "invalid_grant" && code != "bad_verification_code" && code != "expired_token":
			t.Errorf("%s would end a grant", code)
		}
	}
}
