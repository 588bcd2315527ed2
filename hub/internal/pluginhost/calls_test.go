package pluginhost

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/waittest"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// asked runs one call of a named operation, for a service with a secret, as soon as the
// plugin may be started.
func asked(t *testing.T, h *Host, operation, command string) (err error) {
	t.Helper()
	ctx := WithSecrets(WithOperation(t.Context(), operation), "summer day")
	waittest.Until(t, "the plugin is available", func() bool {
		err = secretlyRefreshed(ctx, h, command)
		_, waits := errors.AsType[*UnavailableError](err)
		return !waits
	})
	return err
}

func wantRejected(t *testing.T, i *installation, sum, reason string) {
	t.Helper()
	if r := waittest.For(t, sum+" is rejected", i.rejected); r.sum != sum || !strings.Contains(r.reason, reason) {
		t.Errorf("%s was rejected: %s; want %s: %s", r.sum, r.reason, sum, reason)
	}
}

// A new version that starts well and fails at every refresh goes back to the version
// before, however long after it took over the first refresh is due.
func TestANewVersionThatFailsAtEveryCallGoesBack(t *testing.T) {
	longPlay(t)
	for command, reason := range map[string]string{
		"panic": "refresh failed 3 times within ten minutes and never worked in between: the plugin failed (Internal): the provider good panicked",
		"exit":  "its process ended (exit status 5); it last wrote: SettingsError: cannot do this with [redacted]",
		"hang":  "there was no answer in the time for it",
	} {
		t.Run(command, func(t *testing.T) {
			h, i := withInstalled(t, Options{CallTimeout: 2 * time.Second})
			i.use(t, h, "one", "good")
			works(t, h, "good")
			i.use(t, h, "two", "good")
			i.age(h, 3*time.Hour)
			for n := range 3 {
				if p := statusOf(t, h, "plugin"); p.Package != "two" {
					t.Fatalf("%s runs after %d failures", p.Package, n)
				}
				if asked(t, h, "refresh", command) == nil {
					t.Fatal("it did not fail")
				}
				if err := asked(t, h, "identify", ""); err != nil { // another operation works
					t.Fatal(err)
				}
			}
			if p := statusOf(t, h, "plugin"); p.Package != "one" {
				t.Fatalf("%s runs after three failures", p.Package)
			}
			wantRejected(t, i, "two", reason)
			if p := statusOf(t, h, "plugin"); !strings.Contains(p.Refused, reason) {
				t.Errorf("refused because: %s", p.Refused)
			}
			works(t, h, "good")
			i.use(t, h, "two", "good") // a scan before the installer has followed
			if p := statusOf(t, h, "plugin"); p.Package != "one" {
				t.Errorf("%s runs after a scan", p.Package)
			}
		})
	}
}

// secretlyRefreshed is a refresh of a service with a secret.
func secretlyRefreshed(ctx context.Context, h *Host, command string) error {
	return h.Run(ctx, "good", func(ctx context.Context, c *providerplugin.Client) error {
		req := &provider.RefreshRequest{Call: provider.Call{Service: provider.Service{Name: "s", ClientSecret: "summer day"}, Now: time.Now()}}
		req.Current.AccessToken = command
		_, err := c.Refresh(ctx, relayFunc(answer), "good", req)
		return err
	})
}

func TestASecretInAPluginsErrorIsTakenOut(t *testing.T) {
	h, i := withInstalled(t, Options{})
	i.use(t, h, "one", "good")
	err := asked(t, h, "refresh", "quote")
	if failure, ok := errors.AsType[*provider.Error](err); !ok || failure.Kind != provider.Transient || failure.Message != "no reply to client_secret="+redacted {
		t.Errorf("got %v", err)
	}
}

func TestACallThatWorksInBetweenKeepsTheNewVersion(t *testing.T) {
	h, i := withInstalled(t, Options{})
	i.use(t, h, "one", "good")
	i.use(t, h, "two", "good")
	for _, command := range []string{"panic", "panic", "", "panic", "panic", "", "panic"} {
		_ = asked(t, h, "refresh", command)
	}
	if p := statusOf(t, h, "plugin"); p.Package != "two" || p.Refused != "" {
		t.Errorf("%s runs: %s", p.Package, p.Refused)
	}
}

// A version that has nothing before it, or has been there for weeks, stays.
func TestOnlyANewVersionGoesBack(t *testing.T) {
	h, i := withInstalled(t, Options{})
	i.use(t, h, "one", "good")
	for range 4 {
		_ = asked(t, h, "refresh", "panic")
	}
	i.use(t, h, "two", "good")
	i.age(h, 8*24*time.Hour)
	for range 4 {
		_ = asked(t, h, "refresh", "panic")
	}
	if p := statusOf(t, h, "plugin"); p.Package != "two" {
		t.Errorf("%s runs: %s", p.Package, p.Refused)
	}
}

// After a restart of the hub nothing is known of the version before but that there is
// one: whoever installed the new one is told, and goes back.
func TestANewVersionGoesBackAlsoAfterARestartOfTheHub(t *testing.T) {
	h, i := withInstalled(t, Options{})
	i.use(t, h, "two", "good", func(p *Package) { p.ReplacedAt = time.Now().Add(-time.Hour) })
	for range 3 {
		_ = asked(t, h, "refresh", "panic")
	}
	wantRejected(t, i, "two", "panicked")
	i.use(t, h, "one", "good")
	works(t, h, "good")
	for range 4 { // the one before is not on trial
		_ = asked(t, h, "refresh", "panic")
	}
	if p := statusOf(t, h, "plugin"); p.Package != "one" {
		t.Errorf("%s runs: %s", p.Package, p.Refused)
	}
}
