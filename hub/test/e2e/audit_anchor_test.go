package e2e_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/evergrant/evergrant/hub"
	"github.com/evergrant/evergrant/hub/internal/channel"
	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// The signed head of the audit records is sent once a day over the channel that is named,
// and what was sent is what verify takes.
func TestTheAnchorIsSentAndVerified(t *testing.T) {
	t.Parallel()
	services := hubtest.StartChannels(t)
	dir := t.TempDir()
	r := hubtest.StartHubIn(t, dir, map[string]any{"audit.anchor": "Office mail"})
	boss := r.Owner(t)
	if err := r.Hub.RunPeriodic(t.Context(), "audit-anchor"); err == nil {
		t.Error("without such a channel nothing is said")
	}
	mail := boss.AddChannelTitled(services, channel.SMTP, "Office mail")
	boss.AddContact("Anna", map[string]string{mail: services.Address(channel.SMTP)})
	for range 2 { // the second has nothing to do
		if err := r.Hub.RunPeriodic(t.Context(), "audit-anchor"); err != nil {
			t.Fatal(err)
		}
	}
	sent := hubtest.Told(t, services, channel.SMTP, 1)
	if len(sent) != 1 {
		t.Fatalf("%d messages were sent", len(sent))
	}
	file := filepath.Join(t.TempDir(), "anchor.txt")
	if err := os.WriteFile(file, []byte(sent[0].Text), 0o600); err != nil {
		t.Fatal(err)
	}
	anchor, err := hub.ReadAnchor(file)
	if err != nil {
		t.Fatalf("%v in %s", err, sent[0].Text)
	}
	cfg, err := hub.LoadConfig("", nil, map[string]any{"data_dir": dir})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := hub.VerifyAudit(t.Context(), cfg, anchor); n == 0 || err != nil {
		t.Errorf("%d records, %v", n, err)
	}
	now, err := hub.AnchorAudit(t.Context(), cfg)
	if err != nil || now.PublicKey != anchor.PublicKey || now.Seq <= anchor.Seq {
		t.Errorf("%+v %v", now, err)
	}
	forged := *anchor
	forged.Seq++
	text, _ := json.Marshal(forged)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	other, err := hub.ReadAnchor(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := hub.VerifyAudit(t.Context(), cfg, other); err == nil {
		t.Error("a forged anchor verifies")
	}
}
