package main

import (
	"context"
	"fmt"

	"github.com/evergrant/evergrant/hub"
)

type serveCmd struct {
	configFlags `embed:""`
}

// Run serves until a signal comes.
func (c serveCmd) Run(ctx context.Context) error {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	log := newLogger(cfg.Log.Level, cfg.Log.Format)
	return hub.Run(ctx, cfg, hub.Options{Logger: log, Version: version}, func(h *hub.Hub) {
		greet(ctx, h)
	})
}

// greet tells a person where to go.
func greet(ctx context.Context, h *hub.Hub) {
	fmt.Printf("\n  Evergrant %s is running at %s\n", version, h.URL())
	link, err := h.SetupLink(ctx)
	switch {
	case err != nil:
		fmt.Printf("  The set-up link could not be made: %v\n\n", err)
	case link != "":
		fmt.Printf("  Set up the administrator with this one-time link:\n\n    %s\n\n", link)
	default:
		fmt.Println()
	}
}
