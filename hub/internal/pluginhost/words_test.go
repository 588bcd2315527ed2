package pluginhost

import (
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/waittest"
)

// Whatever keeps a plugin from starting, what it said itself is shown: bounded,
// without tokens, as text.
func TestAFailedStartShowsThePluginsOwnWords(t *testing.T) {
	for _, mode := range []string{"last-words", "closes"} {
		t.Run(mode, func(t *testing.T) {
			h, _ := scanned(t, Options{StartTimeout: 20 * time.Second}, mode)
			p := statusOf(t, h, mode)
			if !strings.HasSuffix(p.LastError, `; it wrote: SettingsError: there is no file \xff settings.json, access_token=[redacted]`) {
				t.Errorf("the error is %q", p.LastError)
			}
			said := []string{}
			for _, line := range p.LastWords {
				said = append(said, line.Text)
			}
			want := `reading the settings|\x1b[2JTraceback (most recent call last):|SettingsError: there is no file \xff settings.json, access_token=[redacted]|bye`
			if got := strings.Join(said, "|"); got != want {
				t.Errorf("its words are %s, want %s", got, want)
			}
		})
	}
}

// The words of a new version that does not start are its own, not those of the one
// that runs.
func TestTheWordsOfANewVersionAreItsOwn(t *testing.T) {
	h, i := withInstalled(t, Options{})
	i.use(t, h, "one", "good")
	if err := refreshWith(t.Context(), h, "good", "odd lines", answer); err != nil {
		t.Fatal(err)
	}
	waittest.Until(t, "what the one that runs wrote is read", func() bool { return len(statusOf(t, h, "plugin").Log) > 8 })
	i.use(t, h, "two", "last-words")
	p := statusOf(t, h, "plugin")
	if p.Package != "one" || len(p.LastWords) != 4 || p.LastWords[0].Text != "reading the settings" {
		t.Errorf("%s runs, the words are %+v", p.Package, p.LastWords)
	}
}
