package installer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/semver"

	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/pluginpack"
	"github.com/evergrant/evergrant/hub/internal/store"
)

// Approve lets a package be enabled and talk to the hosts of its manifest. One that
// nobody trusted has signed, or that is in quarantine, needs its whole sum in
// confirm. Errors: *RefusedError, store.ErrNotFound.
func (i *Installer) Approve(ctx context.Context, sum, confirm string) (store.Package, error) {
	p, err := i.store.Package(ctx, sum)
	if err != nil {
		return p, err
	}
	switch {
	case p.State == Approved:
		return p, nil
	case p.State != Verified && confirm != p.Sum:
		refused := refuse(CodeUnsigned, "%s %s is not verified: %s. To run it nevertheless, confirm its SHA-256.", p.Name, p.Version, p.Problem)
		refused.With = p.Sum
		return p, refused
	}
	m, err := manifestOf(p)
	if err != nil {
		return p, err
	}
	from := p.State
	p.State, p.ApprovedAt, p.ApprovedBy = Approved, time.Now(), audit.From(ctx).Name
	if err := i.store.MovePackage(ctx, p, Staged, Verified, Quarantined); err != nil {
		return p, err
	}
	i.audit.Record(ctx, "plugin.approve", pluginObject(p.Name), "version", p.Version, "sha256", p.Sum, "signer", p.Signer,
		"was", from, "problem", p.Problem, "hosts", strings.Join(m.Hosts(), " "))
	return p, nil
}

// Enable makes a package the one that runs under its name. downgrade allows an older
// version than the one that runs. The host starts it beside the running version; if
// it does not work the old one goes on, and the error says why. Errors:
// *RefusedError, store.ErrNotFound.
func (i *Installer) Enable(ctx context.Context, sum string, downgrade bool) error {
	p, err := i.store.Package(ctx, sum)
	if err != nil {
		return err
	}
	if p.State != Approved {
		return refuse(CodeState, "%s %s is %s; approve it first", p.Name, p.Version, p.State)
	}
	running, err := i.versionOf(ctx, p.Name)
	if err != nil {
		return err
	}
	older := running != "" && semver.Compare("v"+p.Version, "v"+running) < 0
	if older && !downgrade {
		refused := refuse(CodeDowngrade, "%s %s is older than %s, which runs; confirm the downgrade, or roll back", p.Name, p.Version, running)
		refused.With = p.Sum
		return refused
	}
	_, err = i.change(ctx, p.Name, "plugin.enable", func(slot *store.Slot) error {
		if slot.Pinned && slot.Sum != p.Sum {
			return refuse(CodePinned, "%s is pinned to its version; unpin it first", p.Name)
		}
		if slot.Sum != p.Sum {
			slot.Previous, slot.Sum = slot.Sum, p.Sum
		}
		slot.Enabled = true
		return nil
	}, "version", p.Version, "sha256", p.Sum, "from", running, "downgrade", word(older))
	if err != nil {
		return err
	}
	return i.works(ctx, p.Name, p.Sum)
}

func word(yes bool) string {
	if yes {
		return "yes"
	}
	return ""
}

// versionOf is the package's version that runs under a name; "" if none does.
func (i *Installer) versionOf(ctx context.Context, name string) (string, error) {
	slots, err := i.store.Slots(ctx)
	if err != nil {
		return "", err
	}
	at := slices.IndexFunc(slots, func(s store.Slot) bool { return s.Name == name })
	if at < 0 || slots[at].Sum == "" {
		return "", nil
	}
	p, err := i.store.Package(ctx, slots[at].Sum)
	return p.Version, err
}

// change changes a slot, notes the act, and makes this replica follow.
func (i *Installer) change(ctx context.Context, name, act string, change func(*store.Slot) error, detail ...string) (store.Slot, error) {
	slot, err := i.store.ChangeSlot(ctx, name, func(slot *store.Slot) error {
		if err := change(slot); err != nil {
			return err
		}
		slot.UpdatedBy = audit.From(ctx).Name
		slot.UpdatedAt = later(time.Now(), slot.UpdatedAt)
		return nil
	})
	if err != nil {
		return slot, err
	}
	i.audit.Record(ctx, act, pluginObject(name), detail...)
	return slot, i.Sync(ctx)
}

// later keeps the marks of changes growing, whatever the clock does.
func later(now, last time.Time) time.Time {
	if next := last.Add(time.Millisecond); next.After(now) {
		return next
	}
	return now
}

// works reports why the host does not run what was just enabled; nil if it does.
func (i *Installer) works(ctx context.Context, name, sum string) error {
	for _, p := range i.host.Plugins() {
		if p.Name != name {
			continue
		}
		if p.Package == sum && len(p.Providers) > 0 {
			return nil
		}
		reason := p.LastError
		if p.Refused != "" {
			reason = p.Refused
		}
		if p.Package != sum {
			return refuse(CodeFailed, "the new version of %s does not work here, the one before goes on: %s", name, reason)
		}
		return refuse(CodeFailed, "%s does not work here: %s", name, reason)
	}
	return ctx.Err()
}

// Disable stops a plugin, installed or of the folder, until it is enabled again.
// Connections of its providers are kept, but cannot be renewed meanwhile.
func (i *Installer) Disable(ctx context.Context, name string) error {
	_, err := i.change(ctx, name, "plugin.disable", func(slot *store.Slot) error {
		slot.Enabled = false
		return nil
	})
	return err
}

// Resume runs again what was disabled.
func (i *Installer) Resume(ctx context.Context, name string) error {
	_, err := i.change(ctx, name, "plugin.resume", func(slot *store.Slot) error {
		slot.Enabled = true
		return nil
	})
	return err
}

// Pin keeps a plugin at its version, or lets it go.
func (i *Installer) Pin(ctx context.Context, name string, pinned bool) error {
	act := "plugin.pin"
	if !pinned {
		act = "plugin.unpin"
	}
	_, err := i.change(ctx, name, act, func(slot *store.Slot) error {
		slot.Pinned = pinned
		return nil
	})
	return err
}

// Rollback goes back to the version before. Errors: *RefusedError without any.
func (i *Installer) Rollback(ctx context.Context, name string) error {
	slot, err := i.change(ctx, name, "plugin.rollback", func(slot *store.Slot) error {
		if slot.Previous == "" {
			return refuse(CodeNoVersion, "there is no version of %s to go back to", name)
		}
		if slot.Pinned {
			return refuse(CodePinned, "%s is pinned to its version; unpin it first", name)
		}
		slot.Sum, slot.Previous, slot.Enabled = slot.Previous, slot.Sum, true
		return nil
	})
	if err != nil {
		return err
	}
	return i.works(ctx, name, slot.Sum)
}

// Remove forgets an installed plugin and all its packages. It is refused while
// there are services of its providers.
// Errors: *RefusedError, store.ErrNotFound.
func (i *Installer) Remove(ctx context.Context, name string) error {
	needed, err := i.neededBy(ctx, name)
	if err != nil {
		return err
	}
	if len(needed) > 0 {
		return refuse(CodeInUse, "%s serves services that are in use (%s); delete them first, or disable the plugin", name, strings.Join(needed, ", "))
	}
	packages, err := i.store.Packages(ctx)
	if err != nil {
		return err
	}
	if err := i.store.DeleteSlot(ctx, name); err != nil {
		return err
	}
	for _, p := range packages {
		if p.Name == name {
			err = errors.Join(err, i.store.DeletePackage(ctx, p.Sum))
		}
	}
	i.audit.Record(ctx, "plugin.remove", pluginObject(name))
	return errors.Join(err, i.Sync(ctx))
}

// neededBy names the services whose provider this plugin serves.
func (i *Installer) neededBy(ctx context.Context, name string) ([]string, error) {
	services, err := i.store.Services(ctx)
	if err != nil {
		return nil, err
	}
	var serves []string
	for _, p := range i.host.Plugins() {
		if p.Name == name && p.Package != "" {
			serves = p.Providers
		}
	}
	var needed []string
	for _, svc := range services {
		if slices.Contains(serves, svc.Provider) {
			needed = append(needed, svc.Name)
		}
	}
	return needed, nil
}

// Discard removes a package that does not run. Errors: store.ErrInUse,
// store.ErrNotFound.
func (i *Installer) Discard(ctx context.Context, sum string) error {
	p, err := i.store.Package(ctx, sum)
	if err != nil {
		return err
	}
	if err := i.store.DeletePackage(ctx, sum); err != nil {
		return err
	}
	i.audit.Record(ctx, "plugin.discard", pluginObject(p.Name), "version", p.Version, "sha256", sum)
	return i.Sync(ctx)
}

func manifestOf(p store.Package) (*pluginpack.Manifest, error) {
	var m pluginpack.Manifest
	if err := json.Unmarshal(p.Manifest, &m); err != nil {
		return nil, fmt.Errorf("read the manifest of %s %s: %w", p.Name, p.Version, err)
	}
	return &m, nil
}
