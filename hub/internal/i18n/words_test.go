package i18n_test

import (
	"testing"

	"github.com/evergrant/evergrant/hub/internal/i18n"
)

func TestWordsAreSaidInTheReadersLanguage(t *testing.T) {
	both, english := i18n.Words{EN: "Too long.", RU: "Слишком длинно."}, i18n.Words{EN: "Too long."}
	for lang, want := range map[string]string{"ru": both.RU, "ru-RU": both.RU, "en": both.EN, "de": both.EN, "rum": both.EN, "": both.EN} {
		if got := both.In(lang); got != want {
			t.Errorf("in %q it is %q", lang, got)
		}
		if got := english.In(lang); got != english.EN {
			t.Errorf("without Russian it is %q in %q", got, lang)
		}
	}
	if both.IsZero() || !(i18n.Words{}).IsZero() {
		t.Error("IsZero")
	}
}
