package pluginhost

import (
	"strings"
	"testing"

	"github.com/evergrant/evergrant/hub/internal/tracing"
	"github.com/evergrant/evergrant/hub/internal/waittest"
)

func TestALineOfAPluginNamesTheRequestThatItWorkedOn(t *testing.T) {
	h, log := newHost(t, Options{Dir: pluginDir(t, "works")})
	if err := h.Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx := tracing.Begin(t.Context(), "3f2a9c11-77aa", nil)
	if err := refreshWith(ctx, h, "works", "talk", answer); err != nil {
		t.Fatal(err)
	}
	waittest.Until(t, "the line is in the hub's log", func() bool {
		for line := range strings.Lines(log.String()) {
			if strings.Contains(line, "the service was slow") && strings.Contains(line, "request_id=3f2a9c11-77aa") && strings.Contains(line, "[WARN]") {
				return true
			}
		}
		return false
	})
}
