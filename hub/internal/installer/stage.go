package installer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/pluginpack"
	"github.com/evergrant/evergrant/hub/internal/store/plugindb"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// MaxPackage bounds a package's file, in bytes.
const MaxPackage = 128 << 20

// Incoming is a package's file that was received and is not kept yet. Drop it in the end.
type Incoming struct {
	// Package is what is known of it; empty of one that cannot be read.
	Package plugindb.Package
	file    []byte
	pack    *pluginpack.Package
}

// Drop removes what was unpacked of a package that was not kept.
func (in *Incoming) Drop() {
	if in.pack != nil {
		_ = os.RemoveAll(in.pack.Dir) // unless keep has moved it
	}
}

// Receive reads and unpacks a package's file and looks whether it can run here. It takes
// long: call it outside of transactions. Errors: *RefusedError, or of the disk; nothing is
// kept then, and Incoming has what could be read.
func (i *Installer) Receive(ctx context.Context, r io.Reader) (*Incoming, error) {
	in := &Incoming{}
	var err error
	if in.file, err = io.ReadAll(io.LimitReader(r, MaxPackage+1)); err != nil {
		return in, fmt.Errorf("receive the package: %w", err)
	}
	if len(in.file) > MaxPackage {
		return in, refuse(CodePackage, "the package has more than %d MiB", MaxPackage>>20)
	}
	p, err := pluginpack.Unpack(bytes.NewReader(in.file), i.dir)
	if refused, ok := errors.AsType[*pluginpack.RefusedError](err); ok {
		return in, refuse(CodePackage, "%s", refused.Error())
	}
	if err != nil {
		return in, err
	}
	in.pack = p
	in.Package = plugindb.Package{Sum: p.Sum, Name: p.Manifest.Name, Version: p.Manifest.Version, Size: int64(len(in.file)), StagedAt: time.Now(), StagedBy: audit.From(ctx).Name}
	if refused := i.fits(&p.Manifest); refused != nil {
		return in, refused
	}
	if in.Package.Manifest, err = json.Marshal(p.Manifest); err != nil {
		return in, fmt.Errorf("keep the package: %w", err)
	}
	return in, nil
}

// Keep keeps a package that was received, and returns it as it is kept; one that is there
// already stays as it was, and added is false.
func (i *Installer) Keep(ctx context.Context, in *Incoming) (kept plugindb.Package, added bool, err error) {
	judged, err := i.judged(ctx, in.pack)
	if err != nil {
		return judged, false, err
	}
	in.Package.State, in.Package.Signer, in.Package.Problem = judged.State, judged.Signer, judged.Problem
	if added, err = i.store.Plugins.AddPackage(ctx, in.Package, in.file); err != nil {
		return in.Package, false, err
	}
	if !added {
		kept, err = i.store.Plugins.Package(ctx, in.Package.Sum)
		return kept, false, err
	}
	i.store.AfterCommit(ctx, func() {
		if err := i.keep(in.pack); err != nil { // it is unpacked again when it is to run
			i.log.Error("keep unpacked plugin package failed", "sha256", in.Package.Sum, "error", err)
		}
	})
	return in.Package, true, nil
}

// fits reports whether a package can run here at all.
func (i *Installer) fits(m *pluginpack.Manifest) *RefusedError {
	if m.OS != runtime.GOOS || m.Arch != runtime.GOARCH {
		return refuse(CodePackage, "the package is for %s/%s, this hub runs on %s/%s", m.OS, m.Arch, runtime.GOOS, runtime.GOARCH)
	}
	ours := slices.Sorted(maps.Keys(providerplugin.Plugins()))
	if !slices.ContainsFunc(m.Protocols, func(v int) bool { return slices.Contains(ours, v) }) {
		return refuse(CodePackage, "the package speaks versions %v of the provider protocol, this hub speaks %v", m.Protocols, ours)
	}
	if _, refused := namesOf(m); refused != nil {
		return refused
	}
	if err := m.Requires.Fit(i.most); err != nil {
		return refuse(CodePackage, "%s %s cannot run on this hub: %v", m.Name, m.Version, err)
	}
	return nil
}

// judged says whose package it is.
func (i *Installer) judged(ctx context.Context, p *pluginpack.Package) (plugindb.Package, error) {
	kept := plugindb.Package{Sum: p.Sum, Name: p.Manifest.Name, Version: p.Manifest.Version, State: Verified}
	if p.Signature != nil {
		kept.Signer = p.Signature.KeyID
	}
	keys, err := i.keys(ctx)
	if err != nil {
		return kept, err
	}
	_, err = pluginpack.Judge(p, keys)
	if refused, ok := errors.AsType[*pluginpack.RefusedError](err); ok {
		kept.State, kept.Problem, err = Staged, refused.Reason, nil
	}
	return kept, err
}

func (i *Installer) keys(ctx context.Context) ([]pluginpack.Key, error) {
	rows, err := i.store.Plugins.PluginKeys(ctx)
	if err != nil {
		return nil, err
	}
	keys := make([]pluginpack.Key, 0, len(rows))
	for _, k := range rows {
		keys = append(keys, pluginpack.Key{ID: k.ID, Title: k.Title, Public: k.Public, RevokedAt: k.RevokedAt})
	}
	return keys, nil
}

// keep moves an unpacked package to its place. The move is the moment from which it
// is there; the power may go at any other one.
func (i *Installer) keep(p *pluginpack.Package) error {
	place := i.placeOf(p.Sum)
	if _, err := os.Stat(place); err == nil {
		return nil // its name says what is in it
	}
	if err := os.Chmod(p.Dir, 0o755); err != nil { //nolint:gosec // G302: plugins run as other users
		return fmt.Errorf("keep the package: %w", err)
	}
	if err := syncDir(p.Dir); err != nil {
		return err
	}
	if err := os.Rename(p.Dir, place); err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("keep the package: %w", err)
	}
	return syncDir(i.dir)
}

func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("keep the package: %w", err)
	}
	err = dir.Sync()
	return errors.Join(err, dir.Close())
}

// placeOf is the folder of a package's files.
func (i *Installer) placeOf(sum string) string { return filepath.Join(i.dir, sum) }
