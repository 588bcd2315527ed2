package hub

import (
	"context"
	"time"

	"github.com/evergrant/evergrant/hub/internal/app/act"
	app "github.com/evergrant/evergrant/hub/internal/app/definitions"
	"github.com/evergrant/evergrant/hub/internal/definitions"
)

// startDefinitions makes the keeper of definitions and the acts on them, before the host
// that runs their plugin.
func (h *Hub) startDefinitions() {
	h.definitions = definitions.New(definitions.Options{Store: h.store, Dir: h.cfg.Definitions.Dir, Logger: h.log.Named("definitions")})
	h.acts.definitions = app.New(app.Options{Definitions: h.definitions, Recorder: act.NewRecorder(h.store, h.audit)})
}

// documentsRefused has the slots say again what the plugin has in use.
func (h *Hub) documentsRefused(plugin, reason string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	h.log.Error("definitions not taken, the ones before stay", "plugin", plugin, "error", reason)
	if err := h.acts.definitions.Quarantine(ctx, reason); err != nil {
		h.log.Error("put definitions back failed", "plugin", plugin, "error", err)
	}
}

// watchDefinitions takes up definitions that another replica has changed, and files of the
// folder that are put there, changed or taken away while the hub runs.
func (h *Hub) watchDefinitions(ctx context.Context) {
	for {
		h.takeFiles(ctx)
		if err := h.definitions.Follow(ctx); err != nil && ctx.Err() == nil {
			h.log.Error("sync definitions failed", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(watchEvery):
		}
	}
}

func (h *Hub) takeFiles(ctx context.Context) {
	files, err := h.definitions.Folder().Changes()
	if err != nil {
		h.log.Error("read folder of definitions failed, definitions unchanged", "error", err)
	}
	for _, file := range files {
		switch err := h.acts.definitions.TakeFile(ctx, file); {
		case ctx.Err() != nil:
			return
		case err != nil && file.Gone:
			h.log.Error("definition file removed, definition stays in use", "file", file.Name, "definition", file.Definition, "error", err)
		case err != nil:
			h.log.Error("definition file rejected, the last good one stays", "file", file.Name, "error", err)
		default:
			h.log.Info("definition file taken", "file", file.Name, "removed", file.Gone)
		}
	}
}
