package definitions

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// unpacked writes the files of a zip into a folder.
func unpacked(t *testing.T, data []byte) (dir string) {
	t.Helper()
	file, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	for _, f := range file.File {
		from, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(from)
		if err != nil {
			t.Fatal(err)
		}
		target := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(target, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// The plugin that is written builds as it is and passes its conformance suite.
func TestAPromotedDefinitionIsAPluginThatHoldsTheContract(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds a module")
	}
	document, err := os.ReadFile("../../../plugins/declarative/definitions/hh.yaml")
	if err != nil {
		t.Fatal(err)
	}
	data, err := Skeleton("hh", string(document), time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	tests := exec.Command("go", "test", ".")
	tests.Dir = filepath.Join(unpacked(t, data), "evergrant-provider-hh")
	tests.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=readonly")
	if out, err := tests.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
