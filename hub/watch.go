package hub

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"
)

// watchEvery is the time between two looks at the folder of plugins.
const watchEvery = 2 * time.Second

// watchPlugins takes up plugins that are put into the folder, changed or taken
// away while the hub runs. A folder that cannot be read now changes nothing.
func (h *Hub) watchPlugins(ctx context.Context) {
	known := listing(h.cfg.Plugins.Dir)
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(watchEvery):
		}
		now := listing(h.cfg.Plugins.Dir)
		if now == known || now == "" {
			continue
		}
		known = now
		h.log.Info("the folder of plugins has changed", "folder", h.cfg.Plugins.Dir)
		if err := h.plugins.Scan(ctx); err != nil {
			h.log.Error("the folder of plugins could not be taken up", "error", err)
			continue
		}
		if err := h.catalogue.Refresh(ctx); err != nil {
			h.log.Error("the services of a changed plugin could not be brought up to date", "error", err)
		}
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
