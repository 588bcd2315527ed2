package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/hashicorp/go-hclog"

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
	if _, err := os.Stat(filepath.Join(cfg.DataDir, demoMark)); err == nil {
		log.Warn("the data folder belongs to evergrant demo, whose emulated services do not run here; start evergrant demo or choose another folder", "data_dir", cfg.DataDir)
	}
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGHUP) // from now on it does not end the process
	defer signal.Stop(asked)
	return hub.Run(ctx, cfg, hub.Options{Logger: log, Version: version}, func(h *hub.Hub) {
		greet(ctx, h)
		go c.reload(ctx, asked, h, log)
	})
}

// reload reloads the reloadable part of the configuration on each signal, until ctx ends.
func (c serveCmd) reload(ctx context.Context, asked <-chan os.Signal, h *hub.Hub, log hclog.Logger) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-asked:
		}
		cfg, err := c.load()
		if err != nil {
			log.Error("reload configuration failed, configuration unchanged", "error", err)
			continue
		}
		h.Reload(cfg)
	}
}

// greet prints the addresses of the hub.
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
