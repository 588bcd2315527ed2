package authorkit

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"

	"github.com/evergrant/evergrant/sdk"
)

//go:embed all:template
var templates embed.FS

// Scaffold is the input of New.
type Scaffold struct {
	// Name of the provider: small letters, digits, hyphens, after its publisher's and a
	// dot.
	Name string
	// Dir is the new folder; "" is evergrant-provider-<name> in the current one, with a
	// hyphen for the dot.
	Dir string
	// Module is the new module's path; "" is evergrant-provider-<name>, likewise.
	Module string
}

var scaffoldName = regexp.MustCompile(`^([a-z][a-z0-9]*(-[a-z0-9]+)*\.)?[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

// New writes a module with a provider that compiles and passes the conformance
// suite, and the SDK beside it. It refuses a folder that exists, and returns the
// one it has made.
func New(s Scaffold) (dir string, err error) {
	if !scaffoldName.MatchString(s.Name) || len(s.Name) > 40 {
		return "", fmt.Errorf("the name %q cannot be a provider's: use small letters, digits and hyphens, such as parcels, or acme.parcels with the name of its publisher", s.Name)
	}
	if s.Dir == "" {
		s.Dir = s.Program()
	}
	if s.Module == "" {
		s.Module = s.Program()
	}
	if err := os.Mkdir(s.Dir, 0o755); err != nil { //nolint:gosec // G301: source code, as any
		return "", fmt.Errorf("make the plugin's folder: %w", err)
	}
	if err := errors.Join(s.writeTemplates(), s.writeModule(), s.writeSDK()); err != nil {
		return "", errors.Join(err, os.RemoveAll(s.Dir))
	}
	return s.Dir, nil
}

// Program is the name of the built plugin.
func (s Scaffold) Program() string { return "evergrant-provider-" + s.File() }

// File is the name without its dot, for files.
func (s Scaffold) File() string { return strings.ReplaceAll(s.Name, ".", "-") }

// own is the name without the publisher's.
func (s Scaffold) own() string { return s.Name[strings.IndexByte(s.Name, '.')+1:] }

// Title is the name as a heading: "my-service" is "My Service".
func (s Scaffold) Title() string {
	words := strings.Split(s.own(), "-")
	for i, w := range words {
		words[i] = strings.ToUpper(w[:1]) + w[1:]
	}
	return strings.Join(words, " ")
}

// Host is the example's host.
func (s Scaffold) Host() string { return s.own() + ".example" }

func (s Scaffold) writeTemplates() error {
	return fs.WalkDir(templates, "template", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(templates, name)
		if err != nil {
			return err
		}
		parsed, err := template.New(name).Delims("[[", "]]").Parse(string(text))
		if err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
		var out bytes.Buffer
		if err := parsed.Execute(&out, s); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
		return s.write(fileName(name), out.Bytes())
	})
}

// writeModule writes go.mod with what the SDK needs, so that the module builds
// without `go mod tidy`.
func (s Scaffold) writeModule() error {
	own, err := sdk.Source().ReadFile("go.mod")
	if err != nil {
		return err
	}
	var out strings.Builder
	fmt.Fprintf(&out, "module %s\n\n", s.Module)
	var requires []string
	for line := range strings.Lines(string(own)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "go ") {
			fmt.Fprintf(&out, "%s\n\n", line)
		}
		if fields := strings.Fields(line); len(fields) >= 2 && strings.Contains(fields[0], ".") {
			requires = append(requires, fmt.Sprintf("\t%s %s // indirect\n", fields[0], fields[1]))
		}
	}
	fmt.Fprintf(&out, "require %s v0.0.0\n\nrequire (\n%s)\n\n", sdkModule, strings.Join(requires, ""))
	fmt.Fprintf(&out, "// The SDK that fits the hub that made this module. Point it elsewhere to update.\nreplace %s => ./sdk\n", sdkModule)
	sums, err := sdk.Source().ReadFile("go.sum")
	if err != nil {
		return err
	}
	return errors.Join(s.write("go.mod", []byte(out.String())), s.write("go.sum", sums))
}

const sdkModule = "github.com/evergrant/evergrant/sdk"

// writeSDK writes the SDK's source without its tests, which are its own concern.
func (s Scaffold) writeSDK() error {
	return fs.WalkDir(sdk.Source(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasSuffix(name, "_test.go") {
			return err
		}
		data, err := sdk.Source().ReadFile(name)
		if err != nil {
			return err
		}
		return s.write(filepath.Join("sdk", filepath.FromSlash(name)), data)
	})
}

func (s Scaffold) write(name string, data []byte) error {
	target := filepath.Join(s.Dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil { //nolint:gosec // G301: source code, as any
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := os.WriteFile(target, data, 0o644); err != nil { //nolint:gosec // G306: source code, as any
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

// fileName is the name of a template's file in the new module.
func fileName(name string) string {
	name = strings.TrimSuffix(strings.TrimPrefix(name, "template/"), ".tmpl")
	return strings.Replace(name, "dotgit", ".git", 1) // embedding and git would take these for their own
}
