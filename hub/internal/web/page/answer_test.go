package page

import (
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/web/view"
	"github.com/evergrant/evergrant/sdk/provider"
)

// A token lives for ever where its provider says so; where nobody knows its end, that is
// said, and not that there is none.
func TestATokenWithoutAKnownEndIsNotSaidToLiveForEver(t *testing.T) {
	now := time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)
	for life, want := range map[time.Duration]string{provider.Never: "never expires", 0: "nobody knows for how long"} {
		c := connection.Connection{
			Name: "key", Grant: provider.GrantStatic, State: connection.StateActive, Generation: 1,
			Policy: connection.PolicyOf(&provider.Description{AutoRenew: provider.AutoRenewNone, Lifetimes: provider.Lifetimes{AccessToken: life}}, provider.GrantStatic),
			Tokens: connection.TokenSet{AccessToken: "a"},
		}
		row := view.ConnectionRowOf(c, view.ServiceRef{Title: "Acme"}, now)
		head, _ := fresh(i18n.With(t.Context(), i18n.NewSpeaker("en", time.UTC, now)), view.Connection{ConnectionRow: row, Policy: c.Policy})
		if !strings.Contains(head, want) {
			t.Errorf("a life of %s: %s", life, head)
		}
	}
}
