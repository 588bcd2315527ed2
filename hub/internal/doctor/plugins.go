package doctor

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/evergrant/evergrant/hub/internal/installer"
	"github.com/evergrant/evergrant/hub/internal/pluginhost"
	"github.com/evergrant/evergrant/hub/internal/sandbox"
)

// socketsFolder makes a folder for the look where the hub has its own, which a hub that
// runs holds.
func socketsFolder(configured string) (string, error) {
	if configured != "" {
		if err := os.MkdirAll(configured, 0o700); err != nil {
			return "", err
		}
	}
	return os.MkdirTemp(configured, "look-")
}

// lookAtPlugins starts each plugin of the folder once, and each that is installed and
// unpacked here, as a hub would, in a place of its own.
func (d *deployment) lookAtPlugins(ctx context.Context) []Finding {
	cfg := d.o.Config.Plugins
	sockets, err := socketsFolder(cfg.RuntimeDir)
	if err != nil {
		return []Finding{fail("the plugins' sockets have no place: "+err.Error(), "name a folder that the hub's user can write by plugins.runtime_dir, or mount a temporary folder")}
	}
	defer func() { _ = os.RemoveAll(sockets) }()
	installed, found := d.installed(ctx)
	host, err := pluginhost.New(pluginhost.Options{
		Dir: cfg.Dir, RuntimeDir: sockets, Sandbox: sandbox.Mode(cfg.Sandbox), Installed: func() pluginhost.Installed { return installed },
		Limits: pluginhost.LimitsOf(cfg.MaxSteps, cfg.MaxBodyKiB), ConnectTimeout: cfg.ConnectTimeout,
	})
	if err != nil {
		return []Finding{fail(err.Error(), "name the folder with evergrant-provider-* programs by plugins.dir")}
	}
	defer host.Stop(context.WithoutCancel(ctx))
	if err := host.Scan(ctx); err != nil {
		return []Finding{fail(err.Error(), "can the hub's user read the folder?")}
	}
	missing := map[string]bool{}
	for _, p := range host.Plugins() {
		if p.LastError != "" || len(p.Providers) == 0 {
			found = append(found, fail(p.Name+" does not run: "+p.LastError+wrote(p.LastWords), "mend or remove "+p.Path))
			continue
		}
		found = append(found, ok(fmt.Sprintf("%s %s starts and serves %s", p.Name, p.Version, strings.Join(p.Providers, ", "))))
		for _, layer := range sandbox.Missing(p.Layers) {
			missing[layer] = true
		}
	}
	if len(found) == 0 {
		found = append(found, warn("there is none in "+cfg.Dir, "put evergrant-provider-* programs there, or install one in the web hub"))
	}
	if cfg.Sandbox == string(sandbox.Off) {
		return append(found, warn("the sandbox is off", "set plugins.sandbox to best-effort or required"))
	}
	for layer := range missing {
		found = append(found, warn("this machine lacks a layer of their sandbox: "+layer, "docs/plugin-host.md says what the kernel has to allow"))
	}
	return found
}

// installed lists what is installed according to the database, with a finding for each
// version in quarantine.
func (d *deployment) installed(ctx context.Context) (installed pluginhost.Installed, found []Finding) {
	if d.db == nil {
		return installed, nil
	}
	slots, packages, err := d.db.Slots(ctx)
	if err != nil {
		return installed, nil // the check of the database reports its errors
	}
	for _, p := range packages {
		if p.State == installer.Quarantined {
			found = append(found, warn(fmt.Sprintf("%s %s is in quarantine: %s", p.Name, p.Version, p.Problem), "hand in a mended version; this one can be deleted on the page of the plugin"))
		}
	}
	return installer.Unpacked(filepath.Join(d.o.Config.DataDir, "installed"), slots, packages), found
}

// wrote are the lines that a process wrote beside the one that its error quotes.
func wrote(words []pluginhost.LogLine) string {
	if len(words) < 2 {
		return ""
	}
	lines := make([]string, 0, len(words))
	for _, w := range words {
		lines = append(lines, w.Text)
	}
	return "; its last lines: " + strings.Join(lines, " | ")
}
