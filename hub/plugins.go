package hub

import (
	"context"
	"path/filepath"
	"time"

	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/app/plugins"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/config"
	"github.com/evergrant/evergrant/hub/internal/egress"
	"github.com/evergrant/evergrant/hub/internal/installer"
	"github.com/evergrant/evergrant/hub/internal/pluginhost"
	"github.com/evergrant/evergrant/hub/internal/sandbox"
	"github.com/evergrant/evergrant/sdk/provider"
)

// startPlugins makes the host know what is in the folder and what is installed.
func (h *Hub) startPlugins(ctx context.Context) (err error) {
	h.installer, err = installer.New(installer.Options{
		Store: h.store, Dir: filepath.Join(h.cfg.DataDir, "installed"), Logger: h.log.Named("installer"),
		Limits: pluginhost.LimitsOf(h.cfg.Plugins.MaxSteps, h.cfg.Plugins.MaxBodyKiB),
	})
	if err != nil {
		return err
	}
	h.acts.plugins = plugins.New(plugins.Options{Installer: h.installer, Recorder: act.NewRecorder(h.store, h.audit)})
	if err := h.await(ctx, h.installer.Load); err != nil {
		return err
	}
	h.startDefinitions()
	if err := h.await(ctx, h.definitions.Load); err != nil {
		return err
	}
	h.plugins, err = pluginhost.New(pluginhost.Options{
		Dir: h.cfg.Plugins.Dir, RuntimeDir: h.cfg.Plugins.RuntimeDir, Logger: h.log.Named("plugins"), Cache: descriptions{h.store}, IdleAfter: idleAfter(h.cfg), Traces: h.traces.provider,
		Sandbox: sandbox.Mode(h.cfg.Plugins.Sandbox), Disk: int64(h.cfg.Plugins.DiskMiB) << 20, Installed: h.installer.Installed,
		Documents: h.definitions.Documents, DocumentsRefused: h.documentsRefused,
		Limits: pluginhost.LimitsOf(h.cfg.Plugins.MaxSteps, h.cfg.Plugins.MaxBodyKiB), ConnectTimeout: h.cfg.Plugins.ConnectTimeout,
		// Neither is called before a plugin that is in use is replaced.
		Accept: func(plugin string, ds []provider.Description) error { return h.catalogue.Accept(plugin, ds) },
		Rejected: func(plugin, sum, reason string) {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			if err := h.acts.plugins.Quarantine(ctx, plugin, sum, reason); err != nil {
				h.log.Error("quarantine plugin package failed", "plugin", plugin, "sha256", sum, "error", err)
			}
		},
	})
	if err != nil {
		return err
	}
	h.installer.Attach(h.plugins, h.pluginsChanged)
	h.definitions.Attach(h.plugins, h.pluginsChanged)
	return h.plugins.Scan(ctx)
}

// idleAfter keeps a plugin running while an authorization that it began may return: its
// code may expire in seconds, so it should not wait for a start.
func idleAfter(cfg config.Config) time.Duration { return cfg.AuthorizationTTL + 5*time.Minute }

// pluginsChanged brings services up to date whose plugin has changed.
func (h *Hub) pluginsChanged() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if h.catalogue == nil {
		return // start does it
	}
	if err := h.catalogue.Refresh(ctx); err != nil {
		h.log.Error("update services of a changed plugin failed", "error", err)
	}
}

// refused notes a request that the hub did not send for a plugin.
func (h *Hub) refused(r egress.Refusal) {
	h.audit.Record(context.Background(), "egress.refuse", audit.Object{Kind: "service", Name: r.Service},
		"provider", r.Provider, "host", r.Host, "reason", r.Reason, "detail", r.Detail)
}
