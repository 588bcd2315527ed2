package e2e_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/hub"
	"github.com/evergrant/evergrant/hub/test/hubtest"
)

func TestDoctorSeesACertificateThatIsMissingOrNearItsEnd(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	flags := map[string]any{"data_dir": dir, "tls.cert_file": certFile, "tls.key_file": keyFile}
	hubtest.Expect(t, hubtest.Findings(t, "", flags), "tls", "fail", "no such file")
	writeCertificate(t, certFile, keyFile, 1) // for an hour
	hubtest.Expect(t, hubtest.Findings(t, "", flags), "tls", "warn", "0 days more")
}

func TestDoctorWarnsOfTrustInWholeNetworks(t *testing.T) {
	t.Parallel()
	flags := map[string]any{"data_dir": t.TempDir(), "trusted_proxies": "10.0.0.7"}
	hubtest.Expect(t, hubtest.Findings(t, "", flags), "proxies", "ok", "10.0.0.7")
	flags["trusted_proxies"] = "10.0.0.7,10.0.0.0/8"
	hubtest.Expect(t, hubtest.Findings(t, "", flags), "proxies", "warn", "10.0.0.0/8")
}

// Before the first start nothing can answer at the address: that is no fault.
func TestDoctorDoesNotFailBeforeTheFirstStart(t *testing.T) {
	t.Parallel()
	expectNoFailure(t, hubtest.Findings(t, "", map[string]any{"data_dir": filepath.Join(t.TempDir(), "none"), "listen": "127.0.0.1:1", "public_url": "http://localhost:1"}))
}

// With another key beside a running hub the key is at fault, not the hub.
func TestDoctorTellsAWrongKeyFromAHubThatWasNeverStarted(t *testing.T) {
	t.Parallel()
	r := hubtest.StartHub(t, nil)
	other := filepath.Join(t.TempDir(), "other.key")
	if err := hub.CreateKey(other); err != nil {
		t.Fatal(err)
	}
	for _, f := range hubtest.Findings(t, "", map[string]any{"data_dir": r.Dir, "public_url": r.Hub.URL(), "key.file": other}) {
		if f.Check == "callback" && strings.Contains(f.Do, "start") {
			t.Errorf("beside a running hub it says: %+v", f)
		}
	}
}
