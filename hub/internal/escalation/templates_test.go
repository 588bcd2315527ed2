package escalation_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/hub/internal/escalation"
	"github.com/evergrant/evergrant/hub/internal/policy"
)

func TestEveryTopicHasEveryTextInBothLanguages(t *testing.T) {
	for _, topic := range escalation.Topics {
		for _, lang := range escalation.Languages {
			for _, part := range escalation.Parts {
				text := escalation.Original(topic, lang, part)
				if text == "" {
					t.Errorf("%s has no %s in %s", topic, part, lang)
				}
				shown, err := escalation.Preview(text, lang, "https://hub.example")
				if err != nil || strings.ContainsAny(shown, "{}") {
					t.Errorf("%s %s %s: %v: %q", topic, lang, part, err, shown)
				}
				if part == escalation.PartShort && len([]rune(shown)) > 320 {
					t.Errorf("the SMS of %s in %s has %d characters", topic, lang, len([]rune(shown)))
				}
			}
		}
	}
	for _, event := range policy.Events {
		if event != policy.IncidentOpened && escalation.Original(escalation.TopicOf(event), "en", escalation.PartText) == "" {
			t.Errorf("nothing is said of %s", event)
		}
	}
}

func TestATextCannotNameASecret(t *testing.T) {
	for _, field := range []string{"access_token", "refresh_token", "client_secret", "password", "TITLE", ""} {
		err := escalation.CheckTemplate("x {" + field + "} y")
		if unknown, ok := errors.AsType[*escalation.UnknownFieldError](err); !ok || unknown.Field != field {
			t.Errorf("{%s}: %v", field, err)
		}
	}
	if err := escalation.CheckTemplate("{title} {link} a { brace }"); err != nil {
		t.Error(err)
	}
}

func TestLinesWithoutWordsAreLeftOut(t *testing.T) {
	got, err := escalation.Preview("First\n\nWhat: {until}\nNothing: {hub}", "en", "")
	if err != nil || !strings.HasPrefix(got, "First\n\nWhat: ") || strings.Contains(got, "Nothing") {
		t.Errorf("%q %v", got, err)
	}
}
