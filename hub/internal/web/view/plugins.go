package view

import (
	"slices"
	"time"

	"golang.org/x/mod/semver"

	"github.com/evergrant/evergrant/hub/internal/installer"
	"github.com/evergrant/evergrant/hub/internal/pluginhost"
)

// Plugins is the list of plugins.
type Plugins struct {
	Plugins []Plugin
	Keys    []PluginKey
	// Problem is why a package was not taken; "" if none was handed in.
	Problem string
}

// Plugin is a plugin with its versions.
type Plugin struct {
	installer.Plugin
	Icons []Icon
	// Losses is what services would lose by a version that was refused for that just now.
	Losses PluginLosses
}

// PluginLosses is what services would lose by a version.
type PluginLosses struct{ Sum, Said string }

// PluginKey is a key whose signatures count.
type PluginKey struct {
	ID, Title            string
	TrustedAt, RevokedAt time.Time
}

// Icon is that of its first provider.
func (p Plugin) Icon() Icon {
	if len(p.Icons) > 0 {
		return p.Icons[0]
	}
	return Icon{Title: p.Name}
}

// State is one of pluginhost's, "disabled" or "waiting".
func (p Plugin) State() string {
	switch {
	case !p.Slot.Enabled:
		return "disabled"
	case !p.Runs:
		return "waiting"
	}
	return string(p.Status.State)
}

// Version is that of the package that is to run, else the plugin's own word.
func (p Plugin) Version() string {
	if active := p.Active(); active != nil {
		return active.Version
	}
	return p.Status.Version
}

// Waiting counts the versions that wait for a person's word.
func (p Plugin) Waiting() (n int) {
	for _, pack := range p.Packages {
		if pack.State == installer.Staged || pack.State == installer.Verified {
			n++
		}
	}
	return n
}

// Older reports whether a version is older than the one that is to run.
func (p Plugin) Older(pack installer.Package) bool {
	active := p.Active()
	return active != nil && semver.Compare("v"+pack.Version, "v"+active.Version) < 0
}

// Adds reports whether the version that is to run may not talk to a host.
func (p Plugin) Adds(host string) bool {
	active := p.Active()
	return active != nil && !slices.Contains(active.Manifest.Hosts(), host)
}

// LastLines are the last lines that it wrote, newest first.
func (p Plugin) LastLines(most int) []pluginhost.LogLine {
	var lines []pluginhost.LogLine
	for i := len(p.Status.Log) - 1; i >= 0 && len(lines) < most; i-- {
		lines = append(lines, p.Status.Log[i])
	}
	return lines
}
