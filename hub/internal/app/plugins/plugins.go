package plugins

import (
	"context"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/installer"
)

// Options of Plugins.
type Options struct {
	Installer *installer.Installer
	Recorder  *act.Recorder
}

// Plugins are the acts on plugins. It is safe for concurrent use.
type Plugins struct{ o Options }

// New returns Plugins.
func New(o Options) *Plugins { return &Plugins{o: o} }

// on is an act on the plugin of a name.
func on(name string, a act.Act) act.Act {
	a.Needs, a.On = access.ActManage, audit.Object{Kind: "plugin", Name: name}
	return a
}

// change does an act on rows of a plugin.
func (p *Plugins) change(ctx context.Context, name string, a act.Act, do func(ctx context.Context, name string) error) error {
	return p.o.Recorder.Change(ctx, on(name, a), func(ctx context.Context, _ *act.Entry) error { return do(ctx, name) })
}

// Disable stops a plugin, installed or of the folder, until it is resumed.
func (p *Plugins) Disable(ctx context.Context, name string) error {
	return p.change(ctx, name, act.Act{Name: "plugin.disable"}, p.o.Installer.Disable)
}

// Resume runs a disabled plugin again.
func (p *Plugins) Resume(ctx context.Context, name string) error {
	return p.change(ctx, name, act.Act{Name: "plugin.resume"}, p.o.Installer.Resume)
}

// Pin keeps a plugin at its version.
func (p *Plugins) Pin(ctx context.Context, name string) error {
	return p.change(ctx, name, act.Act{Name: "plugin.pin"}, func(ctx context.Context, name string) error { return p.o.Installer.Pin(ctx, name, true) })
}

// Unpin lets a plugin's version change again.
func (p *Plugins) Unpin(ctx context.Context, name string) error {
	return p.change(ctx, name, act.Act{Name: "plugin.unpin"}, func(ctx context.Context, name string) error { return p.o.Installer.Pin(ctx, name, false) })
}

// Remove forgets an installed plugin and all its packages. Errors:
// *installer.RefusedError, store.ErrNotFound.
func (p *Plugins) Remove(ctx context.Context, name string) error {
	return p.change(ctx, name, act.Act{Name: "plugin.remove"}, p.o.Installer.Remove)
}

// Rollback goes back to the version before. Errors: *installer.RefusedError.
func (p *Plugins) Rollback(ctx context.Context, name string) error {
	return p.o.Recorder.Ask(ctx, on(name, act.Act{Name: "plugin.rollback"}), func(ctx context.Context, _ *act.Entry) error {
		return p.o.Installer.Rollback(ctx, name)
	})
}

// Quarantine is the hub's own act on a package that does not work: it is put aside, and
// its plugin goes back to the version before.
func (p *Plugins) Quarantine(ctx context.Context, name, sum, reason string) error {
	ctx = act.With(ctx, act.Hub())
	a := act.Act{Name: "plugin.quarantine", Detail: []string{"sha256", sum, "reason", reason}}
	return p.o.Recorder.Change(ctx, on(name, a), func(ctx context.Context, e *act.Entry) error {
		pack, err := p.o.Installer.Quarantine(ctx, name, sum, reason)
		e.Add("version", pack.Version)
		return err
	})
}
