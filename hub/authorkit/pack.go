package authorkit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/evergrant/evergrant/hub/internal/pluginpack"
	"github.com/evergrant/evergrant/sdk/providerplugin"
	"github.com/evergrant/evergrant/sdk/providertest"
)

// Packing is the input of Pack.
type Packing struct {
	// Binary is the built plugin, or the script of one in another language.
	Binary string
	// Files is a folder whose files go along; "" is none but Binary.
	Files string
	// Version of the package, without "v".
	Version string
	// OS and Arch; "" are this machine's.
	OS, Arch string
	// Interpreter is node or python3 for a script.
	Interpreter string
	// MemoryMiB as in the manifest's sandbox.
	MemoryMiB int
	// Homepage and License are shown to administrators.
	Homepage, License string
	// Unconfined runs the plugin with the caller's own rights, without a sandbox.
	Unconfined bool
	// Report goes into the manifest; optional.
	Report *Report
	// Out is the package's path; "" is <name>-<version>-<os>-<arch>.evergrant-plugin.
	Out string
}

// Pack makes a package and returns its path. It starts the plugin, in the sandbox
// unless Packing.Unconfined, to ask what it serves, so a binary for another system cannot be packed here.
func Pack(ctx context.Context, p Packing) (string, error) {
	m := pluginpack.Manifest{
		Name: strings.TrimPrefix(filepath.Base(p.Binary), "evergrant-provider-"), Version: p.Version, OS: orDefault(p.OS, runtime.GOOS),
		Arch: orDefault(p.Arch, runtime.GOARCH), Entry: filepath.Base(p.Binary), Homepage: p.Homepage, License: p.License,
		Sandbox: pluginpack.Sandbox{Interpreter: p.Interpreter, MemoryMiB: p.MemoryMiB},
	}
	m.Name = strings.TrimSuffix(m.Name, filepath.Ext(m.Name))
	path, err := filepath.Abs(p.Binary)
	if err != nil {
		return "", fmt.Errorf("find %s: %w", p.Binary, err)
	}
	info, err := providertest.Ask(ctx, path, starter(ctx, p.Unconfined))
	if err != nil {
		return "", fmt.Errorf("ask %s what it serves: %w", p.Binary, err)
	}
	m.Reports = info.Version
	m.Protocols = slices.Sorted(maps.Keys(providerplugin.Plugins())) // one of them was negotiated
	for _, d := range info.Descriptions {
		served := pluginpack.Provider{Name: d.Name}
		for _, h := range d.Hosts {
			served.Hosts = append(served.Hosts, h.Pattern)
		}
		m.Providers = append(m.Providers, served)
	}
	m.Requires = required(info.Requirements)
	if p.Report != nil {
		m.Conformance = p.Report.conformance()
	}
	if p.Out == "" {
		p.Out = fmt.Sprintf("%s-%s-%s-%s%s", m.Name, m.Version, m.OS, m.Arch, pluginpack.Extension)
	}
	staged, err := stage(p)
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(staged) }()
	return p.Out, writeFile(p.Out, func(w io.Writer) error {
		_, err := pluginpack.Write(w, m, os.DirFS(staged))
		return err
	})
}

// required leaves out of a manifest what every hub grants.
func required(r providerplugin.Requirements) providerplugin.Requirements {
	if r.Limits.IsZero() {
		r.Limits = providerplugin.Limits{}
	}
	if r.MinimumContract == 1 {
		r.MinimumContract = 0
	}
	return r
}

// stage copies what is packed into one folder.
func stage(p Packing) (string, error) {
	dir, err := os.MkdirTemp("", "evergrant-pack-")
	if err != nil {
		return "", fmt.Errorf("make a folder for the package: %w", err)
	}
	if p.Files != "" {
		if err := errors.Join(os.CopyFS(dir, os.DirFS(p.Files)), dropCommands(dir)); err != nil {
			return "", errors.Join(fmt.Errorf("copy %s: %w", p.Files, err), os.RemoveAll(dir))
		}
	}
	data, err := os.ReadFile(p.Binary)
	if err == nil {
		target := filepath.Join(dir, filepath.Base(p.Binary))
		_ = os.Remove(target)                   // it may be in Files too
		err = os.WriteFile(target, data, 0o755) //nolint:gosec // G306: a program
	}
	if err != nil {
		return "", errors.Join(fmt.Errorf("copy %s: %w", p.Binary, err), os.RemoveAll(dir))
	}
	return dir, nil
}

// dropCommands removes the folders node_modules/.bin: npm fills them with links to
// commands of packages, which no plugin imports and no package may hold.
func dropCommands(dir string) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() || entry.Name() != ".bin" || filepath.Base(filepath.Dir(path)) != "node_modules" {
			return err
		}
		if err := os.RemoveAll(path); err != nil { //nolint:gosec // G122: a copy in a folder of our own
			return err
		}
		return fs.SkipDir
	})
}

// writeFile writes a file whole or not at all.
func writeFile(path string, write func(io.Writer) error) error {
	out, err := os.CreateTemp(filepath.Dir(path), ".writing-")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	err = errors.Join(write(out), out.Chmod(0o644), out.Close())
	if err == nil {
		err = os.Rename(out.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(out.Name()))
	}
	return nil
}

func sumOfFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read the plugin: %w", err)
	}
	defer func() { _ = f.Close() }()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", fmt.Errorf("read the plugin: %w", err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

func orDefault(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
