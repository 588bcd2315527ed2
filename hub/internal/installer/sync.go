package installer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"github.com/evergrant/evergrant/hub/internal/pluginhost"
	"github.com/evergrant/evergrant/hub/internal/pluginpack"
	"github.com/evergrant/evergrant/hub/internal/sandbox"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/plugindb"
)

// Sync makes this replica run what the slots say. A package that cannot be had is
// logged and shown, and does not keep others from running.
func (i *Installer) Sync(ctx context.Context) error {
	i.syncing.Lock()
	defer i.syncing.Unlock()
	mark, err := i.store.Plugins.PluginsChanged(ctx)
	if err != nil {
		return err
	}
	if err := i.load(ctx); err != nil {
		return err
	}
	if i.host == nil {
		return nil
	}
	if err := i.host.Scan(ctx); err != nil {
		return err
	}
	i.mu.Lock()
	i.mark = mark
	i.mu.Unlock()
	i.scanned()
	return nil
}

// Load reads what is installed without a scan, for the host's first one.
func (i *Installer) Load(ctx context.Context) error {
	i.syncing.Lock()
	defer i.syncing.Unlock()
	return i.load(ctx)
}

func (i *Installer) load(ctx context.Context) error {
	slots, err := i.store.Plugins.Slots(ctx)
	if err != nil {
		return err
	}
	var installed pluginhost.Installed
	for _, slot := range slots {
		if !slot.Enabled {
			installed.Off = append(installed.Off, slot.Name)
			continue
		}
		if slot.Sum == "" {
			continue
		}
		source, err := i.source(ctx, slot)
		if err != nil {
			i.log.Error("load installed plugin failed, the running version stays", "plugin", slot.Name, "error", err)
			if before, there := i.current(slot.Name); there {
				installed.Sources = append(installed.Sources, before)
			}
			continue
		}
		installed.Sources = append(installed.Sources, source)
	}
	i.mu.Lock()
	i.installed = installed
	i.mu.Unlock()
	return i.sweep(ctx)
}

func (i *Installer) current(name string) (pluginhost.Source, bool) {
	for _, source := range i.Installed().Sources {
		if source.Name == name {
			return source, true
		}
	}
	return pluginhost.Source{}, false
}

// source is a slot's package as the host runs it.
func (i *Installer) source(ctx context.Context, slot plugindb.Slot) (pluginhost.Source, error) {
	p, err := i.store.Plugins.Package(ctx, slot.Sum)
	if err != nil {
		return pluginhost.Source{}, err
	}
	m, err := manifestOf(p)
	if err != nil {
		return pluginhost.Source{}, err
	}
	if _, err := os.Stat(i.placeOf(p.Sum)); errors.Is(err, os.ErrNotExist) {
		if err := i.fetch(ctx, p.Sum); err != nil {
			return pluginhost.Source{}, err
		}
	}
	source := sourceOf(i.placeOf(p.Sum), slot, m)
	source.Package.Rejected, err = i.quarantined(ctx, slot.Name)
	return source, err
}

// quarantined are the packages of a name that did not work.
func (i *Installer) quarantined(ctx context.Context, name string) (sums []string, err error) {
	packages, err := i.store.Plugins.Packages(ctx)
	for _, p := range packages {
		if p.Name == name && p.State == Quarantined {
			sums = append(sums, p.Sum)
		}
	}
	return sums, err
}

// sourceOf is a package that is unpacked in place, as the host runs it for a slot.
func sourceOf(place string, slot plugindb.Slot, m *pluginpack.Manifest) pluginhost.Source {
	pack := &pluginhost.Package{
		Sum: slot.Sum, Version: m.Version, Reports: m.Reports, Dir: place, Entry: filepath.FromSlash(m.Entry),
		Interpreter: m.Sandbox.Interpreter, MemoryMiB: m.Sandbox.MemoryMiB, Hosts: map[string][]string{},
		LossesAccepted: slot.Losses == slot.Sum,
	}
	if slot.Previous != "" && slot.UpdatedBy != "" { // else the hub itself has gone back to it
		pack.ReplacedAt = slot.UpdatedAt
	}
	source := pluginhost.Source{Name: slot.Name, Path: filepath.Join(place, pack.Entry), Package: pack}
	for _, f := range m.Files {
		pack.Files = append(pack.Files, sandbox.File{Path: f.Path, SHA256: f.SHA256, Size: f.Size})
		if f.Path == m.Entry {
			source.Sum = f.SHA256
		}
	}
	for _, served := range m.Providers {
		pack.Hosts[served.Name] = served.Hosts
	}
	return source
}

// Unpacked returns the plugins that should run by slots and packages, as far as they are
// unpacked in dir, for commands that inspect a hub's plugins. It changes nothing.
func Unpacked(dir string, slots []plugindb.Slot, packages []plugindb.Package) (installed pluginhost.Installed) {
	for _, slot := range slots {
		if !slot.Enabled {
			installed.Off = append(installed.Off, slot.Name)
		}
		at := slices.IndexFunc(packages, func(p plugindb.Package) bool { return p.Sum == slot.Sum })
		if !slot.Enabled || at < 0 {
			continue
		}
		m, err := manifestOf(packages[at])
		place := filepath.Join(dir, slot.Sum)
		if _, missing := os.Stat(place); err == nil && missing == nil {
			installed.Sources = append(installed.Sources, sourceOf(place, slot, m))
		}
	}
	return installed
}

// fetch unpacks a package from the database into its place.
func (i *Installer) fetch(ctx context.Context, sum string) error {
	_, err := i.unpack(ctx, sum)
	return err
}

// unpack unpacks a package from the database and keeps it.
func (i *Installer) unpack(ctx context.Context, sum string) (*pluginpack.Package, error) {
	file, err := i.store.Plugins.PackageFile(ctx, sum)
	if err != nil {
		return nil, err
	}
	p, err := pluginpack.Unpack(file, i.dir)
	if err != nil {
		return nil, fmt.Errorf("unpack the package %s from the database: %w", short(sum), err)
	}
	defer func() { _ = os.RemoveAll(p.Dir) }() // unless keep has moved it
	if p.Sum != sum {
		return nil, fmt.Errorf("the package %s in the database is another one (%s); remove it and install it again", short(sum), short(p.Sum))
	}
	return p, i.keep(p)
}

var placeRE = regexp.MustCompile(`^[0-9a-f]{64}$`)

// sweep removes the folders of packages that neither run nor are gone back to. One
// that is enabled later is unpacked again from the database.
func (i *Installer) sweep(ctx context.Context) error {
	slots, err := i.store.Plugins.Slots(ctx)
	if err != nil {
		return err
	}
	known := make(map[string]bool, 3*len(slots))
	for _, slot := range slots {
		known[slot.Sum], known[slot.Previous], known[slot.Earlier] = true, true, true
	}
	entries, err := os.ReadDir(i.dir)
	if err != nil {
		return fmt.Errorf("look into the folder of installed plugins: %w", err)
	}
	for _, entry := range entries {
		// One that was just unpacked may be enabled at any moment.
		info, err := entry.Info()
		if err != nil || known[entry.Name()] || !placeRE.MatchString(entry.Name()) || time.Since(info.ModTime()) < time.Hour {
			continue
		}
		if err := os.RemoveAll(i.placeOf(entry.Name())); err != nil {
			i.log.Warn("remove plugin folder failed", "folder", entry.Name(), "error", err)
		}
	}
	return nil
}

// Follow takes up what another replica has changed. It is called every few seconds.
func (i *Installer) Follow(ctx context.Context) error {
	mark, err := i.store.Plugins.PluginsChanged(ctx)
	if err != nil {
		return err
	}
	i.mu.Lock()
	same := mark == i.mark
	i.mu.Unlock()
	if same {
		return nil
	}
	return i.Sync(ctx)
}

// Quarantine puts a package that does not work aside, and its slot back to the version
// before.
func (i *Installer) Quarantine(ctx context.Context, name, sum, reason string) (plugindb.Package, error) {
	p, err := i.store.Plugins.Package(ctx, sum)
	if err == nil && p.State == Approved {
		p.State, p.Problem = Quarantined, reason
		err = i.store.Plugins.MovePackage(ctx, p, Approved)
	}
	if err != nil && !errors.Is(err, store.ErrStale) {
		return p, err
	}
	_, err = i.store.Plugins.ChangeSlot(ctx, name, func(slot *plugindb.Slot) error {
		if slot.Sum == sum && slot.Previous != "" {
			slot.Sum, slot.Previous, slot.Earlier = slot.Previous, slot.Earlier, ""
			slot.UpdatedAt = later(time.Now(), slot.UpdatedAt)
			slot.UpdatedBy = ""
		}
		return nil
	})
	if err != nil {
		return p, err
	}
	return p, i.follow(ctx)
}
