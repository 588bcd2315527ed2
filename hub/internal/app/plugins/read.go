package plugins

import (
	"context"

	"github.com/evergrant/evergrant/hub/internal/installer"
	"github.com/evergrant/evergrant/hub/internal/pluginhost"
	"github.com/evergrant/evergrant/hub/internal/store/plugindb"
)

// List lists all plugins, by name.
func (p *Plugins) List(ctx context.Context) ([]installer.Plugin, error) {
	return p.o.Installer.Plugins(ctx)
}

// Status is how each plugin runs here.
func (p *Plugins) Status() []pluginhost.PluginStatus { return p.o.Installer.Status() }

// Package reads a package. Errors: store.ErrNotFound.
func (p *Plugins) Package(ctx context.Context, sum string) (plugindb.Package, error) {
	return p.o.Installer.Package(ctx, sum)
}

// Names are whose the names of providers are, by name.
func (p *Plugins) Names(ctx context.Context) ([]plugindb.Name, error) {
	return p.o.Installer.Names(ctx)
}

// Keys reads the keys whose signatures count or did, by title.
func (p *Plugins) Keys(ctx context.Context) ([]plugindb.PluginKey, error) {
	return p.o.Installer.Keys(ctx)
}
