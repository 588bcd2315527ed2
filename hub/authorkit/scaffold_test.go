package authorkit_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/hub/authorkit"
)

// scaffolded is a new module, outside of any workspace.
func scaffolded(t *testing.T, name string) string {
	t.Helper()
	dir, err := authorkit.New(authorkit.Scaffold{Name: name, Dir: filepath.Join(t.TempDir(), name)})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func command(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	if name == "go" {
		builds(t)
	}
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=readonly")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}

// builds leaves a test out that builds programs, where little time is wanted.
func builds(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("left out by -short: it builds a plugin as its author does, or runs one in many processes")
	}
}

func TestANewPluginPassesItsTestsAtOnce(t *testing.T) {
	dir := scaffolded(t, "my-parcels")
	command(t, dir, "go", "vet", ".")
	command(t, dir, "go", "test", ".")
	command(t, dir, "gofmt", "-l", ".")
}

// A name may begin with its publisher's; files have a hyphen for the dot.
func TestANewPluginOfAPublisherPassesItsTestsAtOnce(t *testing.T) {
	t.Chdir(t.TempDir())
	dir, err := authorkit.New(authorkit.Scaffold{Name: "acme.my-parcels"})
	if err != nil || dir != "evergrant-provider-acme-my-parcels" {
		t.Fatalf("%s, %v", dir, err)
	}
	source, err := os.ReadFile(filepath.Join(dir, "provider.go"))
	if err != nil || !strings.Contains(string(source), `"acme.my-parcels"`) || !strings.Contains(string(source), `"My Parcels"`) {
		t.Errorf("the provider is\n%s\n%v", source, err)
	}
	command(t, dir, "go", "vet", ".")
	command(t, dir, "go", "test", ".")
}

func TestNamesThatNoProviderCanHaveAreRefused(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"", "Upper", "-x", "x-", "a/b", "../x", "ünder", "x y", ".x", "x.", "a.b.c", "Acme.x", "a/b.c"} {
		if dir, err := authorkit.New(authorkit.Scaffold{Name: name}); err == nil {
			t.Errorf("%q became %s", name, dir)
		}
	}
	if err := os.Mkdir("evergrant-provider-taken", 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := authorkit.New(authorkit.Scaffold{Name: "taken"}); err == nil {
		t.Error("a folder that was there was written to")
	}
	left, err := os.ReadDir(".")
	if err != nil || len(left) != 1 {
		t.Errorf("%d entries are left, %v", len(left), err)
	}
}
