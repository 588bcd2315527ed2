package installer

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/evergrant/evergrant/hub/internal/pluginhost"
	"github.com/evergrant/evergrant/hub/internal/pluginpack"
	"github.com/evergrant/evergrant/hub/internal/store/plugindb"
)

// Plugin is everything that is known of a plugin's name.
type Plugin struct {
	Name string
	// Status is how it runs here; Runs is false for one that the host does not have:
	// disabled, or never enabled.
	Status pluginhost.PluginStatus
	Runs   bool
	// Slot is the version that should run; Known is false for a plugin of the folder
	// without a slot.
	Slot  plugindb.Slot
	Known bool
	// Packages are its versions, newest first.
	Packages []Package
}

// Package is a version with what its manifest says.
type Package struct {
	plugindb.Package
	Manifest *pluginpack.Manifest
	// SignerTitle is whose key signed it, "" for an unknown one; SignerRevoked is set
	// if the key is not trusted any more.
	SignerTitle   string
	SignerRevoked bool
	// Naming is what its names of providers ask of people.
	Naming Naming
}

// Active is the version that is to run; nil for a plugin of the folder.
func (p *Plugin) Active() *Package {
	for i := range p.Packages {
		if p.Slot.Sum != "" && p.Packages[i].Sum == p.Slot.Sum {
			return &p.Packages[i]
		}
	}
	return nil
}

// Proof is what a package's conformance report is worth.
type Proof string

// The proofs.
const (
	// ProofNone has no report, or one of another program.
	ProofNone Proof = "none"
	// ProofFailed has checks that did not hold.
	ProofFailed Proof = "failed"
	// ProofUnrenewed held, but its renewal was not proven.
	ProofUnrenewed Proof = "unrenewed"
	// ProofWhole held, renewal included.
	ProofWhole Proof = "whole"
)

// Proof says what the author's run of the conformance suite has shown for this very
// program.
func (p *Package) Proof() Proof {
	c := p.Manifest.Conformance
	entry := slices.IndexFunc(p.Manifest.Files, func(f pluginpack.File) bool { return f.Path == p.Manifest.Entry })
	switch {
	case c == nil || entry < 0 || c.EntrySHA256 != p.Manifest.Files[entry].SHA256:
		return ProofNone
	case len(c.Failed) > 0:
		return ProofFailed
	case !c.Renews:
		return ProofUnrenewed
	}
	return ProofWhole
}

// Status is how each plugin runs here.
func (i *Installer) Status() []pluginhost.PluginStatus { return i.host.Plugins() }

// Plugins lists all plugins: of the folder, installed, disabled, and those that
// wait, by name.
func (i *Installer) Plugins(ctx context.Context) ([]Plugin, error) {
	slots, err := i.store.Plugins.Slots(ctx)
	if err != nil {
		return nil, err
	}
	packages, err := i.store.Plugins.Packages(ctx)
	if err != nil {
		return nil, err
	}
	keys, err := i.store.Plugins.PluginKeys(ctx)
	if err != nil {
		return nil, err
	}
	tied, err := i.store.Plugins.Names(ctx)
	if err != nil {
		return nil, err
	}
	byName := map[string]*Plugin{}
	of := func(name string) *Plugin {
		if byName[name] == nil {
			byName[name] = &Plugin{Name: name, Slot: plugindb.Slot{Name: name, Enabled: true}}
		}
		return byName[name]
	}
	for _, status := range i.host.Plugins() {
		p := of(status.Name)
		p.Status, p.Runs = status, true
	}
	for _, slot := range slots {
		p := of(slot.Name)
		p.Slot, p.Known = slot, true
	}
	for _, row := range packages {
		m, err := manifestOf(row)
		if err != nil {
			return nil, err
		}
		pack := Package{Package: row, Manifest: m}
		pack.Naming, _ = namingOf(row, m, tied) // one that is refused was not kept
		for _, k := range keys {
			if k.ID == row.Signer {
				pack.SignerTitle, pack.SignerRevoked = k.Title, !k.RevokedAt.IsZero()
			}
		}
		p := of(row.Name)
		p.Packages = append(p.Packages, pack)
	}
	all := make([]Plugin, 0, len(byName))
	for _, p := range slices.SortedFunc(maps.Values(byName), func(a, b *Plugin) int { return strings.Compare(a.Name, b.Name) }) {
		all = append(all, *p)
	}
	return all, nil
}

// Package reads a package. Errors: store.ErrNotFound.
func (i *Installer) Package(ctx context.Context, sum string) (plugindb.Package, error) {
	return i.store.Plugins.Package(ctx, sum)
}

// Keys reads the keys whose signatures count or did, by title.
func (i *Installer) Keys(ctx context.Context) ([]plugindb.PluginKey, error) {
	return i.store.Plugins.PluginKeys(ctx)
}
