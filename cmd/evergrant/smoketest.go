package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/evergrant/evergrant/hub"
	"github.com/evergrant/evergrant/plugins/demo"
)

type smokeTestCmd struct {
	PluginsDir string        `help:"Folder with evergrant-provider-* programs." env:"EVERGRANT_PLUGINS_DIR" placeholder:"DIR"`
	TokenTTL   time.Duration `help:"Life of the emulators' access tokens." default:"6s"`
	Verbose    bool          `help:"Show the hub's log." short:"v"`
}

// Run plays the main job of every emulated provider at once.
func (c smokeTestCmd) Run(ctx context.Context) error {
	start := time.Now()
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	dir, err := os.MkdirTemp("", "evergrant-smoke-test-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	world, err := demo.Start(demo.Config{AccessTTL: c.TokenTTL})
	if err != nil {
		return err
	}
	defer func() { _ = world.Close() }()
	h, err := c.startHub(ctx, dir)
	if err != nil {
		return err
	}
	defer h.Stop(context.WithoutCancel(ctx))
	key, err := h.AdminKey(ctx, "smoke test", time.Hour)
	if err != nil {
		return err
	}
	fmt.Printf("The hub is at %s, its data in %s. Tokens live %s.\n\n", h.URL(), dir, c.TokenTTL)
	plays := make([]*play, len(world.Services))
	var wg sync.WaitGroup
	for i, s := range world.Services {
		plays[i] = newPlay(h, s, key)
		wg.Go(func() { plays[i].run(ctx) })
	}
	wg.Wait()
	return closing(plays, time.Since(start))
}

func (c smokeTestCmd) startHub(ctx context.Context, dir string) (*hub.Hub, error) {
	flags := map[string]any{"listen": "127.0.0.1:0", "data_dir": dir, "egress.private_networks": "127.0.0.0/8"}
	if c.PluginsDir != "" {
		flags["plugins.dir"] = c.PluginsDir
	}
	cfg, err := hub.LoadConfig("", nil, flags)
	if err != nil {
		return nil, err
	}
	level := "off"
	if c.Verbose {
		level = "debug"
	}
	return hub.Start(ctx, cfg, hub.Options{Logger: newLogger(level, ""), Version: version})
}

// closing prints the table and returns an error if any check failed.
func closing(plays []*play, took time.Duration) error {
	fmt.Println()
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "PROVIDER\tCHECKS\tGENERATIONS\tSPENT TWICE\tRESULT")
	passed, failed := 0, 0
	for _, p := range plays {
		result := "ok"
		if p.err != nil {
			result = "FAILED: " + p.err.Error()
			failed++
		}
		passed += p.checks
		_, _ = fmt.Fprintf(w, "%s\t%d\t%s\t%d\t%s\n", p.service.Provider, p.checks, strings.Join(p.generations, " → "), p.service.Spent(), result)
	}
	_ = w.Flush()
	fmt.Printf("\ndemo: %d checks passed, %d providers failed, in %s\n", passed, failed, took.Round(100*time.Millisecond))
	if failed > 0 {
		return errors.New("the smoke test failed")
	}
	return nil
}
