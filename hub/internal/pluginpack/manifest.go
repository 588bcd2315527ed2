package pluginpack

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// Schema is the version of the manifest's form.
const Schema = 1

// Names of the archive's own entries.
const (
	manifestName  = "manifest.json"
	signatureName = "manifest.json.minisig"
)

// Extension of a package's file name.
const Extension = ".evergrant-plugin"

// Manifest says what a package holds.
type Manifest struct {
	Schema int `json:"schema"`
	// Name of the plugin: evergrant-provider-<name> is its program.
	Name string `json:"name"`
	// Version is a semantic version, without "v".
	Version string `json:"version"`
	// Reports is the version that the program itself says to have; "" is any.
	Reports string `json:"reports,omitempty"`
	// OS and Arch are Go's names of the system that the entry runs on.
	OS   string `json:"os"`
	Arch string `json:"arch"`
	// Protocols are the versions of the provider contract that are served.
	Protocols []int `json:"protocols"`
	// Entry is the file that is executed.
	Entry string `json:"entry"`
	// Files are all files beside the manifest, by path.
	Files []File `json:"files"`
	// Providers are what the plugin serves, with the hosts that each may talk to.
	Providers []Provider `json:"providers"`
	// Sandbox asks for more than the default profile allows, for example memory.
	Sandbox Sandbox `json:"sandbox,omitzero"`
	// Conformance is the report of `evergrant plugin test` on this very entry.
	Conformance *Conformance `json:"conformance,omitempty"`
	// Requires is what the plugin asks of the hub, so that one that cannot meet it refuses
	// the package before anything of it is started.
	Requires Requirements `json:"requires,omitzero"`
	Homepage string       `json:"homepage,omitempty"`
	License  string       `json:"license,omitempty"`
}

// File is a file of a package.
type File struct {
	Path string `json:"path"`
	// Size in bytes.
	Size int64 `json:"size"`
	// SHA256 in lower-case hex.
	SHA256 string `json:"sha256"`
}

// Provider is what an administrator approves before the plugin is started.
type Provider struct {
	Name  string   `json:"name"`
	Hosts []string `json:"hosts"`
}

// Requirements are as providerplugin.Requirements.
type Requirements = providerplugin.Requirements

// Sandbox is what a plugin needs beyond the default profile.
type Sandbox struct {
	// MemoryMiB bounds the memory of the process, in MiB; 0 is the default.
	MemoryMiB int `json:"memory_mib,omitempty"`
	// Interpreter is set for programs that other programs run: node, python3.
	Interpreter string `json:"interpreter,omitempty"`
}

// Conformance is the outcome of the conformance suite.
type Conformance struct {
	// EntrySHA256 is the entry that was tested; for another one it says nothing.
	EntrySHA256 string `json:"entry_sha256"`
	// Passed, Failed and Gaps are names of checks.
	Passed []string `json:"passed"`
	Failed []string `json:"failed,omitempty"`
	Gaps   []string `json:"gaps,omitempty"`
	// Renews is set if a renewal as it is declared was proven.
	Renews bool `json:"renews,omitempty"`
}

var (
	namePattern    = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)
	versionPattern = regexp.MustCompile(`^\d{1,5}\.\d{1,5}\.\d{1,5}(-[0-9A-Za-z.-]{1,40})?$`)
	sumPattern     = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// Check says everything that is wrong with a manifest, in one error.
func (m *Manifest) Check() error {
	var problems []error
	complain := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf("manifest: "+format, args...))
	}
	if m.Schema != Schema {
		complain("schema is %d, this hub reads %d", m.Schema, Schema)
	}
	if !namePattern.MatchString(m.Name) {
		complain("name must be small letters, digits and hyphens")
	}
	if !versionPattern.MatchString(m.Version) {
		complain("version must be like 1.2.3 or 1.2.3-beta.1")
	}
	if m.OS == "" || m.Arch == "" {
		complain("os and arch must be given")
	}
	if len(m.Protocols) == 0 {
		complain("protocols must name at least one version of the provider contract")
	}
	if len(m.Providers) == 0 {
		complain("providers must name at least one")
	}
	for _, p := range m.Providers {
		if !provider.ValidName(p.Name) {
			complain("provider %q must be small letters, digits and hyphens, with the name of its publisher and a dot before it", p.Name)
		}
	}
	if !slices.ContainsFunc(m.Files, func(f File) bool { return f.Path == m.Entry }) {
		complain("entry %q is not among the files", m.Entry)
	}
	problems = append(problems, checkFiles(m.Files)...)
	return errors.Join(problems...)
}

func checkFiles(files []File) (problems []error) {
	var total int64
	seen := map[string]bool{}
	for _, f := range files {
		switch {
		case !cleanPath(f.Path):
			problems = append(problems, fmt.Errorf("manifest: file %q is not a plain path inside the package", f.Path))
		case seen[strings.ToLower(f.Path)]:
			problems = append(problems, fmt.Errorf("manifest: file %q is listed twice", f.Path))
		case !sumPattern.MatchString(f.SHA256):
			problems = append(problems, fmt.Errorf("manifest: file %q has no SHA-256", f.Path))
		case f.Size < 0 || f.Size > MaxUnpacked:
			problems = append(problems, fmt.Errorf("manifest: file %q has an impossible size", f.Path))
		}
		seen[strings.ToLower(f.Path)] = true
		total += min(max(f.Size, 0), MaxUnpacked)
	}
	if total > MaxUnpacked {
		problems = append(problems, fmt.Errorf("manifest: the files have %d MiB together, at most %d are allowed", total>>20, MaxUnpacked>>20))
	}
	return problems
}

// cleanPath reports whether p is a relative path of plain names, and none of
// the archive's own entries.
func cleanPath(p string) bool {
	if p == "" || len(p) > 200 || path.Clean(p) != p || path.IsAbs(p) || p == ".." || strings.HasPrefix(p, "../") {
		return false
	}
	if p == manifestName || p == signatureName || strings.ContainsAny(p, "\\:\x00") {
		return false
	}
	return !strings.ContainsFunc(p, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// readManifest reads and checks a manifest.
func readManifest(data []byte) (*Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("the package's manifest is no JSON: %w", err)
	}
	return &m, m.Check()
}
