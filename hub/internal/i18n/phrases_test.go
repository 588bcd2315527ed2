package i18n_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/i18n"
)

func inRussian(t *testing.T) context.Context {
	return i18n.With(t.Context(), i18n.NewSpeaker(i18n.Russian, nil, time.Now()))
}

// What the hub and the SDK report is said in the reader's language; what a service said
// in it, and what is nobody's sentence, stays.
func TestSentencesOfOursAreSaidInRussian(t *testing.T) {
	for said, want := range map[string]string{
		"the service answered with an error and status 400: Bad thing":                                     "сервис ответил ошибкой, статус 400: Bad thing",
		"no reply from acme.example: there is no such host":                                                "нет ответа от acme.example: такого узла нет",
		"the plugin of bitrix24 failed: the portal's address cannot be read":                               "сбой плагина типа bitrix24: адрес портала не читается",
		"The connection is paused; resume it in the web hub.":                                              "Подключение приостановлено; возобновите его в хабе.",
		"start its process: prepare its sandbox: execute it: exec format error; it wrote: no such library": "процесс не запущен: песочница не подготовлена: файл не выполняется: exec format error; плагин написал: no such library",
		"acme 2.0.0 is not enabled: services would lose what they use: the service a could not renew its connections any more (refresh); the service b would need a client secret (public_client). " +
			"Accept that by name, or keep the version that runs.": "acme 2.0.0 не включён: сервисы лишились бы того, чем пользуются: сервис a не сможет продлевать подключения (refresh); сервису b понадобится секрет клиента (public_client). " +
			"Подтвердите это отдельно или оставьте работающую версию.",
		"Token has been expired or revoked.": "Token has been expired or revoked.",
	} {
		if got := i18n.Phrase(inRussian(t), said); got != want {
			t.Errorf("%q is %q, want %q", said, got, want)
		}
		if got := i18n.Phrase(t.Context(), said); got != said {
			t.Errorf("in English %q is %q", said, got)
		}
	}
	if i18n.IsPhrase("Token has been expired or revoked.") || !i18n.IsPhrase("the service answered 503") {
		t.Error("a service's words are taken for ours, or ours for a service's")
	}
}

// The sentences of refusals to hand out a token are all known.
func TestEveryRefusalOfATokenIsKnown(t *testing.T) {
	messages := regexp.MustCompile(`Message: "([^"]+)"[,}\n]|refuse\("([^"]+)"\)`)
	for _, file := range []string{"refused.go", "ask.go", "rejected.go"} {
		source, err := os.ReadFile(filepath.Join("..", "tokensource", file))
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range messages.FindAllStringSubmatch(string(source), -1) {
			said := strings.TrimSpace(found[1] + found[2])
			if i18n.Phrase(inRussian(t), said) == said {
				t.Errorf("%s says %q, which has no Russian", file, said)
			}
		}
	}
}
