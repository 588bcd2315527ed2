package doctor

import (
	"context"
	"fmt"
	"strings"

	"github.com/evergrant/evergrant/hub/internal/pluginhost"
	"github.com/evergrant/evergrant/hub/internal/sandbox"
)

// lookAtPlugins starts each plugin of the folder once, as a hub would, in a place of
// its own. What was installed through the hub is that hub's to look at.
func (d *deployment) lookAtPlugins(ctx context.Context) []Finding {
	cfg := d.o.Config.Plugins
	host, err := pluginhost.New(pluginhost.Options{Dir: cfg.Dir, Sandbox: sandbox.Mode(cfg.Sandbox)})
	if err != nil {
		return []Finding{fail(err.Error(), "name the folder with evergrant-provider-* programs by plugins.dir")}
	}
	defer host.Stop(context.WithoutCancel(ctx))
	if err := host.Scan(ctx); err != nil {
		return []Finding{fail(err.Error(), "can the hub's user read the folder?")}
	}
	var found []Finding
	missing := map[string]bool{}
	for _, p := range host.Plugins() {
		if p.LastError != "" || len(p.Providers) == 0 {
			found = append(found, fail(p.Name+" does not run: "+p.LastError, "mend or remove "+p.Path))
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
