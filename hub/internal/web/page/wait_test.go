package page

import (
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// Somebody who has to wait because the hub is busy with others is not told that they tried
// too often.
func TestWhoWaitsForOthersIsNotBlamed(t *testing.T) {
	for lang, blame := range map[string]string{"en": "Too many attempts", "ru": "Слишком много попыток"} {
		ctx := i18n.With(t.Context(), i18n.NewSpeaker(lang, nil, time.Now()))
		for _, others := range []bool{false, true} {
			said := WaitSentence(ctx, view.Wait{For: 90 * time.Second, Others: others})
			if strings.Contains(said, blame) == others {
				t.Errorf("%s, others are many %v: %s", lang, others, said)
			}
			if !strings.Contains(said, i18n.Duration(ctx, 90*time.Second)) {
				t.Errorf("%s: it does not say how long: %s", lang, said)
			}
		}
		own := failureKey(view.Failure{Status: 429})
		if busy := failureKey(view.Failure{Status: 429, Busy: true}); busy == own || i18n.T(ctx, busy+".title") == i18n.T(ctx, own+".title") {
			t.Errorf("%s: the page says the same for both: %s", lang, own)
		}
	}
}
