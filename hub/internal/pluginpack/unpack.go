package pluginpack

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// Bounds of a package.
const (
	// MaxUnpacked is what all files may have together, in bytes.
	MaxUnpacked = 256 << 20
	maxManifest = 1 << 20
	maxFiles    = 4096
)

// Package is one that was unpacked and agrees with its manifest.
type Package struct {
	Manifest Manifest
	// Sum is the SHA-256 of the manifest, in lower-case hex: it names name,
	// version and every file.
	Sum string
	// Signature is the signature of the manifest; nil without one.
	Signature *Signature
	// Dir holds the files, read-only, the entry executable.
	Dir string
}

// Entry is the path of the program.
func (p *Package) Entry() string { return filepath.Join(p.Dir, filepath.FromSlash(p.Manifest.Entry)) }

// RefusedError says why a package is not taken.
type RefusedError struct{ Reason string }

// Error implements error.
func (e *RefusedError) Error() string { return "the package is refused: " + e.Reason }

func refuse(format string, args ...any) error {
	return &RefusedError{Reason: fmt.Sprintf(format, args...)}
}

// Unpack reads a package into a new folder in parent and checks it whole,
// except for who may sign, which is Keys.Judge's. Errors: *RefusedError, or of
// the file system; after any error nothing is left.
func Unpack(r io.Reader, parent string) (p *Package, err error) {
	dir, err := os.MkdirTemp(parent, ".unpacking-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for the package: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	zipped, err := gzip.NewReader(r)
	if err != nil {
		return nil, refuse("it is no %s file: %v", Extension, err)
	}
	u := &unpacking{dir: dir, archive: tar.NewReader(io.LimitReader(zipped, MaxUnpacked+maxManifest+maxFiles*1024+4096)), seen: map[string]bool{}}
	if err := u.head(); err != nil {
		return nil, err
	}
	if err := u.files(); err != nil {
		return nil, err
	}
	if err := checkMachine(u.p.Entry(), u.p.Manifest); err != nil {
		return nil, err
	}
	return u.p, nil
}

type unpacking struct {
	dir     string
	archive *tar.Reader
	p       *Package
	seen    map[string]bool
	first   *tar.Header // of the files, read by head already
}

// next returns the header of the next plain file; nil at the end.
func (u *unpacking) next() (*tar.Header, error) {
	header, err := u.archive.Next()
	switch {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, refuse("it is damaged: %v", err)
	case header.Typeflag != tar.TypeReg:
		return nil, refuse("%q is no plain file", header.Name)
	case header.Mode&0o7000 != 0:
		return nil, refuse("%q would run with other rights (setuid, setgid)", header.Name)
	case u.seen[header.Name]:
		return nil, refuse("%q is in it twice", header.Name)
	case len(u.seen) > maxFiles:
		return nil, refuse("it has more than %d files", maxFiles)
	}
	u.seen[header.Name] = true
	return header, nil
}

// head reads manifest and signature, which come first.
func (u *unpacking) head() error {
	header, err := u.next()
	if err != nil {
		return err
	}
	if header == nil || header.Name != manifestName {
		return refuse("its first entry is not %s", manifestName)
	}
	data, err := u.small()
	if err != nil {
		return err
	}
	m, err := readManifest(data)
	if err != nil {
		return refuse("%v", err)
	}
	sum := sha256.Sum256(data)
	u.p = &Package{Manifest: *m, Sum: hex.EncodeToString(sum[:]), Dir: u.dir}
	if u.first, err = u.next(); err != nil || u.first == nil || u.first.Name != signatureName {
		return err
	}
	text, err := u.small()
	if err != nil {
		return err
	}
	if u.p.Signature, err = readSignature(text, data); err != nil {
		return err
	}
	u.first, err = u.next()
	return err
}

func (u *unpacking) small() ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(u.archive, maxManifest+1))
	if err != nil {
		return nil, refuse("it is damaged: %v", err)
	}
	if len(data) > maxManifest {
		return nil, refuse("its manifest or signature has more than %d KiB", maxManifest>>10)
	}
	return data, nil
}

// files writes what the manifest lists and refuses everything else.
func (u *unpacking) files() error {
	wanted := make(map[string]File, len(u.p.Manifest.Files))
	for _, f := range u.p.Manifest.Files {
		wanted[f.Path] = f
	}
	for header := u.first; header != nil; {
		f, listed := wanted[header.Name]
		if !listed {
			return refuse("%q is not listed in its manifest", header.Name)
		}
		if err := u.file(f); err != nil {
			return err
		}
		delete(wanted, header.Name)
		var err error
		if header, err = u.next(); err != nil {
			return err
		}
	}
	for _, f := range u.p.Manifest.Files {
		if _, missing := wanted[f.Path]; missing {
			return refuse("%q is listed in its manifest, but not in it", f.Path)
		}
	}
	return nil
}

func (u *unpacking) file(f File) error {
	target := filepath.Join(u.dir, filepath.FromSlash(f.Path))
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil { //nolint:gosec // G301: plugins run as other users and read it
		return fmt.Errorf("unpack %s: %w", f.Path, err)
	}
	out, err := os.OpenFile(target, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("unpack %s: %w", f.Path, err)
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(out, sum), io.LimitReader(u.archive, f.Size+1))
	if err == nil {
		err = out.Sync()
	}
	closed := out.Close()
	if _, disk := errors.AsType[*os.PathError](err); err != nil && !disk {
		return refuse("it is damaged: %v", err)
	}
	switch err = errors.Join(err, closed); {
	case err != nil:
		return fmt.Errorf("unpack %s: %w", f.Path, err)
	case n != f.Size:
		return refuse("%q has another size than its manifest says", f.Path)
	case hex.EncodeToString(sum.Sum(nil)) != f.SHA256:
		return refuse("%q is not the file that its manifest describes", f.Path)
	}
	mode := os.FileMode(0o444)
	if f.Path == u.p.Manifest.Entry {
		mode = 0o555
	}
	return os.Chmod(target, mode)
}

// Hosts are the patterns that a package's providers declare, sorted, once each.
func (m *Manifest) Hosts() []string {
	var hosts []string
	for _, p := range m.Providers {
		hosts = append(hosts, p.Hosts...)
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}
