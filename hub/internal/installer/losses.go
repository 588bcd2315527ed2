package installer

import (
	"context"
	"errors"

	"github.com/evergrant/evergrant/hub/internal/pluginhost"
	"github.com/evergrant/evergrant/hub/internal/store/plugindb"
)

// loses refuses a package by which services would lose what they use, before anything
// is changed. One that does not start is left to the host, which says why.
func (i *Installer) loses(ctx context.Context, name, sum string) error {
	if current, there := i.current(name); i.host == nil || there && current.Package.Sum == sum {
		return nil
	}
	source, err := i.source(ctx, plugindb.Slot{Name: name, Sum: sum})
	if err != nil {
		return err
	}
	lost, loses := errors.AsType[*pluginhost.LossError](i.host.Try(ctx, source))
	if !loses {
		return ctx.Err()
	}
	refused := refuse(CodeLosses, "%s %s is not enabled: %s. Accept that by name, or keep the version that runs.", name, source.Package.Version, lost.Error())
	refused.With = sum
	return refused
}

// previousOf is the package that a rollback goes to; "" if none is known.
func (i *Installer) previousOf(ctx context.Context, name string) string {
	slots, err := i.store.Plugins.Slots(ctx)
	if err != nil {
		return ""
	}
	for _, slot := range slots {
		if slot.Name == name && !slot.Pinned {
			return slot.Previous
		}
	}
	return ""
}
