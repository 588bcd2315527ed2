package pluginhost

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/sdk/providerplugin"
)

func TestAPluginIsNotRunThatNeedsWhatTheHubLacks(t *testing.T) {
	h, _ := scanned(t, Options{}, "needs-telepathy", "asks-for-more", "good")
	for name, want := range map[string]string{
		"needs-telepathy": "it needs the feature telepathy, which this hub does not have: update the hub",
		"asks-for-more":   "it asks for bodies of 3072 KiB, where this hub grants 512 (plugins.max_body_kib)",
	} {
		p := statusOf(t, h, name)
		if p.State != StateFailed || len(p.Providers) != 0 || !strings.Contains(p.LastError, want) {
			t.Errorf("%s is %s: %s", name, p.State, p.LastError)
		}
	}
	works(t, h, "good")
}

// A hub that knows a plugin from before does not run it either, and what it serves stays.
func TestAKnownPluginIsNotStartedThatNeedsWhatTheHubLacks(t *testing.T) {
	h, _ := scanned(t, Options{Cache: &remembering{name: "needs-telepathy"}}, "needs-telepathy")
	if p := statusOf(t, h, "needs-telepathy"); len(p.Providers) != 1 {
		t.Fatalf("serves %v: %s", p.Providers, p.LastError)
	}
	err := refreshWith(t.Context(), h, "needs-telepathy", "", answer)
	if err == nil || !strings.Contains(err.Error(), "needs the feature telepathy") {
		t.Errorf("run: %v", err)
	}
	if p := statusOf(t, h, "needs-telepathy"); p.State != StateFailed || len(p.Providers) != 1 {
		t.Errorf("%s, serves %v: %s", p.State, p.Providers, p.LastError)
	}
}

func TestAPluginIsGrantedTheLargeRepliesThatItAsksFor(t *testing.T) {
	large := func(context.Context) (*providerplugin.HTTPResponse, error) {
		return &providerplugin.HTTPResponse{Status: http.StatusOK, Body: bytes.Repeat([]byte("x"), 2<<20)}, nil
	}
	h, _ := scanned(t, Options{Limits: DefaultLimits}, "asks-for-more", "good")
	token, err := refreshed(t.Context(), h, "asks-for-more", "", large)
	if err != nil || len(token.AccessToken) != 2<<20 {
		t.Errorf("%v", err)
	}
	if _, err := refreshed(t.Context(), h, "good", "", large); err == nil || !strings.Contains(err.Error(), "more than 512 KiB") {
		t.Errorf("one that did not ask for it: %v", err)
	}
}
