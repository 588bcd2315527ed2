package installer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/pluginpack"
	"github.com/evergrant/evergrant/hub/internal/store/plugindb"
)

// change changes a slot and makes this replica follow.
func (i *Installer) change(ctx context.Context, name string, change func(*plugindb.Slot) error) (plugindb.Slot, error) {
	slot, err := i.store.Plugins.ChangeSlot(ctx, name, func(slot *plugindb.Slot) error {
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
	return slot, i.follow(ctx)
}

// follow makes this replica run what was just changed, once that is committed. Within a
// transaction its failure is logged, and Follow tries again.
func (i *Installer) follow(ctx context.Context) (err error) {
	i.store.AfterCommit(ctx, func() {
		if err = i.Sync(ctx); err != nil {
			i.log.Error("sync plugins failed, retrying", "error", err)
		}
	})
	return err
}

// later keeps the marks of changes growing, whatever the clock does.
func later(now, last time.Time) time.Time {
	if next := last.Add(time.Millisecond); next.After(now) {
		return next
	}
	return now
}

// Disable stops a plugin, installed or of the folder, until it is enabled again.
// Connections of its providers are kept, but cannot be renewed meanwhile.
func (i *Installer) Disable(ctx context.Context, name string) error {
	_, err := i.change(ctx, name, func(slot *plugindb.Slot) error {
		slot.Enabled = false
		return nil
	})
	return err
}

// Resume runs again what was disabled.
func (i *Installer) Resume(ctx context.Context, name string) error {
	_, err := i.change(ctx, name, func(slot *plugindb.Slot) error {
		slot.Enabled = true
		return nil
	})
	return err
}

// Pin keeps a plugin at its version, or lets it go.
func (i *Installer) Pin(ctx context.Context, name string, pinned bool) error {
	_, err := i.change(ctx, name, func(slot *plugindb.Slot) error {
		slot.Pinned = pinned
		return nil
	})
	return err
}

// Rollback goes back to the version before. It waits for plugins to start: call it outside
// of transactions. Errors: *RefusedError without any, or if
// services would lose by it what they use.
func (i *Installer) Rollback(ctx context.Context, name string) error {
	if sum := i.previousOf(ctx, name); sum != "" {
		if err := i.loses(ctx, name, sum); err != nil {
			return err
		}
	}
	slot, err := i.change(ctx, name, func(slot *plugindb.Slot) error {
		if slot.Previous == "" {
			return refuse(CodeNoVersion, "there is no version of %s to go back to", name)
		}
		if slot.Pinned {
			return refuse(CodePinned, "%s is pinned to its version; unpin it first", name)
		}
		slot.Sum, slot.Previous, slot.Enabled, slot.Earlier = slot.Previous, slot.Sum, true, ""
		return nil
	})
	if err != nil {
		return err
	}
	return i.works(ctx, name, slot.Sum)
}

// Remove deletes an installed plugin and all its packages. It is refused while
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
	packages, err := i.store.Plugins.Packages(ctx)
	if err != nil {
		return err
	}
	if err := i.store.Plugins.DeleteSlot(ctx, name); err != nil {
		return err
	}
	for _, p := range packages {
		if p.Name == name {
			err = errors.Join(err, i.store.Plugins.DeletePackage(ctx, p.Sum))
		}
	}
	if err != nil {
		return err
	}
	return i.follow(ctx)
}

// neededBy names the services whose provider this plugin serves.
func (i *Installer) neededBy(ctx context.Context, name string) ([]string, error) {
	services, err := i.store.Services.Services(ctx)
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
	if err := i.store.Plugins.DeletePackage(ctx, sum); err != nil {
		return err
	}
	return i.follow(ctx)
}

func manifestOf(p plugindb.Package) (*pluginpack.Manifest, error) {
	var m pluginpack.Manifest
	if err := json.Unmarshal(p.Manifest, &m); err != nil {
		return nil, fmt.Errorf("read the manifest of %s %s: %w", p.Name, p.Version, err)
	}
	return &m, nil
}
