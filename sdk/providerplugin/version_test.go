package providerplugin

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
)

func TestAPluginsVersionIsTheOneOfItsBuild(t *testing.T) {
	module := func(version string, settings ...debug.BuildSetting) *debug.BuildInfo {
		return &debug.BuildInfo{Main: debug.Module{Path: "example.com/plugin", Version: version}, Settings: settings}
	}
	revision := debug.BuildSetting{Key: "vcs.revision", Value: "97d704f2c3f0a1b2c3d4e5f60718293a4b5c6d7e"}
	modified := debug.BuildSetting{Key: "vcs.modified", Value: "true"}
	for name, c := range map[string]struct {
		set  string
		info *debug.BuildInfo
		want string
	}{
		"set by the build":          {"1.4.0", module("v9.9.9"), "1.4.0"},
		"set with a v":              {"v1.4.0", nil, "1.4.0"},
		"installed as a module":     {"", module("v1.2.3"), "1.2.3"},
		"a revision of a module":    {"", module("v0.0.0-20261130073800-97d704f2c3f0"), "0.0.0-20261130073800-97d704f2c3f0"},
		"a working copy":            {"", module("(devel)", revision), "0.0.0-g97d704f2c3f0"},
		"a changed working copy":    {"", module("(devel)", revision, modified), "0.0.0-g97d704f2c3f0-dirty"},
		"no version control":        {"", module("(devel)"), development},
		"no information of a build": {"", nil, development},
	} {
		if got := versionOf(c.set, c.info); got != c.want {
			t.Errorf("%s: %s, not %s", name, got, c.want)
		}
	}
}

// A plugin in a repository of its own says that repository's revision, not the version
// of this SDK.
func TestAPluginInARepositoryOfItsOwnNamesItsRevision(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not here")
	}
	if testing.Short() {
		t.Skip("left out by -short: it builds a plugin several times")
	}
	sdk, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	// The requirements of the SDK do for the plugin, so nothing is looked up.
	requires, err := os.ReadFile(filepath.Join(sdk, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile(filepath.Join(sdk, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	mod := strings.Replace(string(requires), "module github.com/evergrant/evergrant/sdk", "module example.com/plugin", 1) +
		"\nrequire github.com/evergrant/evergrant/sdk v0.0.0\nreplace github.com/evergrant/evergrant/sdk => " + sdk + "\n"
	for name, text := range map[string]string{"go.mod": mod, "go.sum": string(sums), "main.go": versionMain, ".gitignore": "/plugin\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(name string, args ...string) string {
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod",
			"GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull,
			"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
		}
		return strings.TrimSpace(string(out))
	}
	run("git", "init", "--quiet")
	run("git", "add", ".")
	run("git", "commit", "--quiet", "--message", "The plugin")
	run("go", "build", "-buildvcs=true", "-o", "plugin", ".")
	revision := run("git", "rev-parse", "HEAD")
	if got := run("./plugin"); !strings.Contains(got, revision[:12]) || !strings.HasPrefix(got, "0.0.0-") {
		t.Errorf("it says %q, its revision is %s", got, revision)
	}
	run("go", "build", "-ldflags=-X=github.com/evergrant/evergrant/sdk/providerplugin.version=2.0.1", "-o", "plugin", ".")
	if got := run("./plugin"); got != "2.0.1" {
		t.Errorf("it says %q, its build says 2.0.1", got)
	}
}

// versionMain prints what the hub is told over gRPC.
const versionMain = `package main

import (
	"context"
	"fmt"

	"github.com/evergrant/evergrant/sdk/oauth"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

func main() {
	both := provider.Text{EN: "Acme", RU: "Акме"}
	client, stop, err := providerplugin.InProcess(oauth.New(oauth.Config{
		Description: provider.Description{
			Name: "acme", Title: both, Summary: both, SetupSteps: []provider.Text{both},
			Rotation: provider.Rotation{Kind: provider.RotationRotates}, PKCE: provider.PKCES256,
			Hosts: []provider.Host{{Pattern: "acme.example", ClientSecret: true}},
		},
		AuthURL: "https://acme.example/authorize", TokenURL: "https://acme.example/token", Auth: oauth.AuthBasic,
	}))
	if err != nil {
		panic(err)
	}
	defer stop()
	info, err := client.Describe(context.Background())
	if err != nil {
		panic(err)
	}
	fmt.Println(info.Version)
}
`
