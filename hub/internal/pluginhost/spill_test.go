package pluginhost

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/waittest"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// spill writes secrets in all ways that a careless plugin finds.
func spill(secret, token string) {
	quoted, _ := json.Marshal(map[string]string{"secret": secret})
	again, _ := json.Marshal(map[string]string{"@message": string(quoted), "field": secret, "@level": "warn"})
	basic := base64.StdEncoding.EncodeToString([]byte("id:" + secret))
	for _, line := range []string{
		"raw " + secret, "token " + token, string(quoted), string(again), fmt.Sprintf("go %q %v", secret, []string{secret}),
		"form client_id=1&x=" + url.QueryEscape(secret) + "&y=2", "path /a/" + url.PathEscape(secret), strings.ToLower("lower ") + strings.ReplaceAll(url.QueryEscape(secret), "+", "%20"),
		"base64 " + base64.StdEncoding.EncodeToString([]byte(secret)), "url64 " + base64.RawURLEncoding.EncodeToString([]byte(secret)), "basic:" + basic, "hex " + hex.EncodeToString([]byte(secret)),
		strings.Repeat("x ", maxLine/2-5) + secret + " cut", // in the middle of what is cut off
		"two lines " + secret[:6], secret[6:] + " went on",
	} {
		_, _ = io.WriteString(stderr, line+"\n")
	}
	_, _ = io.WriteString(stderr, "two writes "+secret[:5])
	waittest.Slow(50 * time.Millisecond)
	_, _ = io.WriteString(stderr, secret[5:]+" end\n")
	_, _ = os.Stdout.WriteString("on standard output " + secret + "\n")
	_, _ = io.WriteString(stderr, "that was all\n")
}

// The hub's log, and what it shows of the plugin, hold no secret that the plugin was
// given, in whatever common form the plugin has written it.
func TestNoSecretThatAPluginWritesGetsIntoTheLog(t *testing.T) {
	const secret, token = `Su/m "mér" d&y+1`, "short-one"
	h, log := scanned(t, Options{}, "good")
	ctx := WithTokens(WithSecrets(t.Context(), secret), token)
	err := h.Run(ctx, "good", func(ctx context.Context, c *providerplugin.Client) error {
		req := &provider.RefreshRequest{Call: provider.Call{Service: provider.Service{Name: "s", ClientSecret: secret}, Now: time.Now()}}
		req.Current.AccessToken, req.Current.RefreshToken = "spill", token
		_, err := c.Refresh(ctx, relayFunc(answer), "good", req)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	waittest.Until(t, "all of it is read", func() bool {
		return strings.Contains(log.String(), "that was all") && strings.Contains(log.String(), "on standard output")
	})
	said := log.String()
	for _, line := range statusOf(t, h, "good").Log {
		said += line.Text + "\n"
	}
	// Parts of it that no other word has.
	for _, part := range []string{"m\u00e9r", `mér`, `\u0026y`, "d&y", "d%26y", "m%C3%A9r", "short-one", "U3UvbSAi", "N1L20g", "1L20g", "53752f6d", "Su/m", `Su\/m`, "Su%2Fm"} {
		for line := range strings.Lines(said) {
			if strings.Contains(line, part) {
				t.Errorf("%q is in: %s", part, line[max(0, len(line)-200):])
			}
		}
	}
	for _, kept := range []string{"raw [redacted]", "two writes [redacted] end", "[redacted] went on", "on standard output [redacted]", "form client_id=1&x=[redacted]&y=2", "field"} {
		if !strings.Contains(said, kept) {
			t.Errorf("%q is not in the log", kept)
		}
	}
}
