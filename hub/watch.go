package hub

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/pluginpack"
)

// watchEvery is the time between two looks at the folder of plugins.
const watchEvery = 2 * time.Second

// watchPlugins takes up plugins that are put into the folder, changed or taken
// away while the hub runs. A folder that cannot be read now changes nothing.
func (h *Hub) watchPlugins(ctx context.Context) {
	known := listing(h.cfg.Plugins.Dir)
	h.stagePackages(ctx)
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(watchEvery):
		}
		if err := h.installer.Follow(ctx); err != nil && ctx.Err() == nil {
			h.log.Error("sync installed plugins failed", "error", err)
		}
		now := listing(h.cfg.Plugins.Dir)
		if now == "" || now == known && !h.plugins.Unexamined() {
			continue
		}
		if now != known {
			h.log.Info("plugin folder changed", "folder", h.cfg.Plugins.Dir)
		}
		known = now
		if err := h.plugins.Scan(ctx); err != nil {
			h.log.Error("scan plugin folder failed", "error", err)
			continue
		}
		h.pluginsChanged()
		h.stagePackages(ctx)
	}
}

// stagePackages uploads the packages in the folder of plugins. They wait for a person's
// approval; a known one changes nothing.
func (h *Hub) stagePackages(ctx context.Context) {
	files, _ := filepath.Glob(filepath.Join(h.cfg.Plugins.Dir, "*"+pluginpack.Extension)) // the pattern is ours
	for _, path := range files {
		f, err := os.Open(path)
		if err != nil {
			h.log.Error("read plugin package failed", "file", path, "error", err)
			continue
		}
		p, err := h.acts.plugins.Stage(act.With(ctx, act.Hub()), f)
		_ = f.Close()
		if err != nil {
			h.log.Error("plugin package rejected", "file", path, "error", err)
			continue
		}
		h.log.Info("plugin package found", "file", path, "plugin", p.Name, "version", p.Version, "state", p.State)
	}
}

// listing changes with every plugin of a folder; "" if it cannot be read.
func listing(folder string) string {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return ""
	}
	var b strings.Builder
	b.WriteString("plugins\n")
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		fmt.Fprintln(&b, entry.Name(), info.Size(), info.ModTime().UnixNano(), info.Mode())
	}
	return b.String()
}
