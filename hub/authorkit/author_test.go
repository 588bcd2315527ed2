package authorkit_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/hub/authorkit"
)

// The way of an author from nothing to a signed package that says what was
// proven.
func TestAnAuthorsWayEndsInASignedPackage(t *testing.T) {
	dir := scaffolded(t, "parcels")
	command(t, dir, "go", "build", "-o", "evergrant-provider-parcels", ".")
	binary := filepath.Join(dir, "evergrant-provider-parcels")
	fixtures, err := authorkit.ReadFixtures(filepath.Join(dir, "conformance.json"))
	if err != nil {
		t.Fatal(err)
	}
	report, err := authorkit.Test(t.Context(), binary, fixtures)
	if err != nil {
		t.Fatal(err)
	}
	if failed := report.Failed(); len(failed) > 0 || !report.Renews || len(report.Results) < 17 {
		t.Fatalf("failed %v, renewal proven %t, %d checks", failed, report.Renews, len(report.Results))
	}
	t.Chdir(dir)
	file, err := authorkit.Pack(t.Context(), authorkit.Packing{Binary: binary, Version: "1.0.0", Report: report})
	if err != nil {
		t.Fatal(err)
	}
	public, err := authorkit.NewKey("key")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := authorkit.NewKey("key"); err == nil {
		t.Error("a key was overwritten")
	}
	if v, err := authorkit.Verify(file, public); err == nil || v.Trusted {
		t.Error("a package that nobody signed was trusted")
	}
	if err := authorkit.Sign(file, "key", nil); err != nil {
		t.Fatal(err)
	}
	v, err := authorkit.Verify(file, public)
	if err != nil || !v.Trusted {
		t.Fatalf("not trusted: %v", err)
	}
	if m := v.Manifest; m.Name != "parcels" || m.Conformance == nil || m.Conformance.EntrySHA256 != report.SHA256 ||
		len(m.Conformance.Passed) != len(report.Results) || !slices.Equal(m.Hosts(), []string{"parcels.example"}) {
		t.Errorf("manifest %+v", m)
	}
	if _, err := authorkit.NewKey("other"); err != nil {
		t.Fatal(err)
	}
	if v, err := authorkit.Verify(file, "other.pub"); err == nil || v.Trusted {
		t.Error("another key was taken for the signer's")
	}
}

// A provider that retries must be seen on the binary too.
func TestABrokenPromiseIsInTheReport(t *testing.T) {
	dir := scaffolded(t, "broken")
	provider := filepath.Join(dir, "provider.go")
	source, err := os.ReadFile(provider)
	if err != nil {
		t.Fatal(err)
	}
	wrong := strings.Replace(string(source), `"https://broken.example/oauth/token"`, `"https://elsewhere.example/oauth/token"`, 1)
	if err := os.WriteFile(provider, []byte(wrong), 0o600); err != nil {
		t.Fatal(err)
	}
	command(t, dir, "go", "build", "-o", "plugin", ".")
	report, err := authorkit.Test(t.Context(), filepath.Join(dir, "plugin"), authorkit.Fixtures{})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(report.Failed(), "declared-hosts") || report.Renews {
		t.Errorf("failed %v, renewal proven %t", report.Failed(), report.Renews)
	}
}
