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
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// MaxPackage bounds a package's file, in bytes.
const MaxPackage = 128 << 20

// Stage takes a package's file. It returns it as it is kept; one that is there
// already stays as it was. Errors: *RefusedError, or of database and disk; nothing
// is kept then.
func (i *Installer) Stage(ctx context.Context, r io.Reader) (store.Package, error) {
	file, err := io.ReadAll(io.LimitReader(r, MaxPackage+1))
	if err != nil {
		return store.Package{}, fmt.Errorf("receive the package: %w", err)
	}
	if len(file) > MaxPackage {
		return store.Package{}, i.rejected(ctx, refuse(CodePackage, "the package has more than %d MiB", MaxPackage>>20))
	}
	p, err := pluginpack.Unpack(bytes.NewReader(file), i.dir)
	if refused, ok := errors.AsType[*pluginpack.RefusedError](err); ok {
		return store.Package{}, i.rejected(ctx, refuse(CodePackage, "%s", refused.Error()))
	}
	if err != nil {
		return store.Package{}, err
	}
	defer func() { _ = os.RemoveAll(p.Dir) }() // unless keep has moved it
	if err := fits(&p.Manifest); err != nil {
		return store.Package{}, i.rejected(ctx, err, "name", p.Manifest.Name, "version", p.Manifest.Version, "sha256", p.Sum)
	}
	kept, err := i.judged(ctx, p)
	if err != nil {
		return kept, err
	}
	manifest, err := json.Marshal(p.Manifest)
	if err != nil {
		return kept, fmt.Errorf("keep the package: %w", err)
	}
	kept.Manifest, kept.Size, kept.StagedAt, kept.StagedBy = manifest, int64(len(file)), time.Now(), audit.From(ctx).Name
	added, err := i.store.AddPackage(ctx, kept, file)
	if err != nil {
		return kept, err
	}
	if !added {
		return i.store.Package(ctx, kept.Sum)
	}
	i.audit.Record(ctx, "plugin.stage", pluginObject(kept.Name),
		"version", kept.Version, "sha256", kept.Sum, "signer", kept.Signer, "state", kept.State, "problem", kept.Problem)
	return kept, i.keep(p)
}

// rejected notes a package that is not taken.
func (i *Installer) rejected(ctx context.Context, refused *RefusedError, detail ...string) error {
	i.audit.Record(ctx, "plugin.reject", audit.Object{Kind: "package"}, append(detail, "reason", refused.Message)...)
	return refused
}

// fits reports whether a package can run here at all.
func fits(m *pluginpack.Manifest) *RefusedError {
	if m.OS != runtime.GOOS || m.Arch != runtime.GOARCH {
		return refuse(CodePackage, "the package is for %s/%s, this hub runs on %s/%s", m.OS, m.Arch, runtime.GOOS, runtime.GOARCH)
	}
	ours := slices.Sorted(maps.Keys(providerplugin.Plugins()))
	if !slices.ContainsFunc(m.Protocols, func(v int) bool { return slices.Contains(ours, v) }) {
		return refuse(CodePackage, "the package speaks versions %v of the provider protocol, this hub speaks %v", m.Protocols, ours)
	}
	return nil
}

// judged says whose package it is.
func (i *Installer) judged(ctx context.Context, p *pluginpack.Package) (store.Package, error) {
	kept := store.Package{Sum: p.Sum, Name: p.Manifest.Name, Version: p.Manifest.Version, State: Verified}
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
	rows, err := i.store.PluginKeys(ctx)
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
