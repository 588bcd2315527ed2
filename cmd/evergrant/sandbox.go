package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub"
	"github.com/evergrant/evergrant/plugins/sandbox"
)

type sandboxCmd struct {
	configFlags `embed:""`

	FirstPort int           `help:"Port of the first emulator on 127.0.0.1; the others follow." default:"8091"`
	TokenTTL  time.Duration `help:"Life of access tokens, for example 30s, to watch renewals; 0 is what each service really has." default:"0"`
}

// The sandbox has a data folder of its own, so that emulated services do not appear in a
// real hub, and files in it beside the hub's.
const (
	sandboxDataDir = "./data-sandbox"
	sandboxMark    = "sandbox"
	sandboxGrants  = "sandbox-grants.json"
)

// Run serves beside the emulators until a signal comes.
func (c sandboxCmd) Run(ctx context.Context) error {
	if c.DataDir == "" && c.Config == "" && os.Getenv("EVERGRANT_DATA_DIR") == "" {
		c.DataDir = sandboxDataDir
	}
	cfg, err := c.load()
	if err != nil {
		return err
	}
	// The services in the data folder must find the same addresses, secrets and grants again.
	secret, err := sandboxSecret(cfg.DataDir)
	if err != nil {
		return err
	}
	// The emulators are on this machine, which services usually may not reach.
	cfg.Egress.PrivateNetworks = append(cfg.Egress.PrivateNetworks, "127.0.0.0/8")
	world, err := sandbox.Start(sandbox.Config{FirstPort: c.FirstPort, AccessTTL: c.TokenTTL, Secret: secret, Grants: filepath.Join(cfg.DataDir, sandboxGrants)})
	if err != nil {
		return fmt.Errorf("%w (choose other ports with --first-port)", err)
	}
	log := newLogger(cfg.Log.Level, cfg.Log.Format)
	defer func() {
		if err := world.Close(); err != nil {
			log.Error("the emulated services will have forgotten their newest grants", "error", err)
		}
	}()
	return hub.Run(ctx, cfg, hub.Options{Logger: log, Version: version}, func(h *hub.Hub) {
		if err := addServices(ctx, h, world); err != nil {
			log.Error("the sandbox's services could not be added", "error", err)
		}
		greet(ctx, h)
		fmt.Println("  Emulated services, ready to connect (log in with what the page fills in):")
		for _, s := range world.Services {
			fmt.Printf("    %-28s %s\n", s.Title, s.Address)
		}
		fmt.Println()
	})
}

// addServices adds a service for each emulator that the hub does not have yet,
// and tells each emulator our redirect URI.
func addServices(ctx context.Context, h *hub.Hub, world *sandbox.World) error {
	key, err := h.AdminKey(ctx, "sandbox set-up", 10*time.Minute)
	if err != nil {
		return err
	}
	client := &hubClient{base: "http://" + h.Addr().String(), key: key}
	var errs []error
	for _, s := range world.Services {
		redirectURI, err := addService(ctx, client, s)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", s.Name, err))
			continue
		}
		s.Register(redirectURI)
	}
	return errors.Join(errs...)
}

// serviceView is what this command reads of a service.
type serviceView struct {
	Name        string `json:"name"`
	RedirectURI string `json:"redirect_uri"`
}

// addService adds one service, or brings the stored one up to date, and returns
// its redirect URI.
func addService(ctx context.Context, client *hubClient, s *sandbox.Service) (string, error) {
	body := map[string]any{
		"name": s.Name, "title": s.Title, "provider": s.Provider, "client_id": s.ClientID, "client_secret": s.ClientSecret,
		"scopes": s.Scopes, "options": s.Options,
	}
	var view serviceView
	err := client.get(ctx, "/api/v1/services/"+s.Name, &view)
	if problem, ok := errors.AsType[*apiError](err); ok && problem.Status == http.StatusNotFound {
		err = client.post(ctx, "/api/v1/services", body, &view)
	} else if err == nil {
		err = client.call(ctx, http.MethodPut, "/api/v1/services/"+s.Name, body, &view)
	}
	return view.RedirectURI, err
}

// sandboxSecret reads or makes what the emulators' client secrets are made of. A folder that
// is a real hub's is refused.
func sandboxSecret(dir string) (string, error) {
	path := filepath.Join(dir, sandboxMark)
	data, err := os.ReadFile(path)
	if err == nil {
		return strings.TrimSpace(string(data)), nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	if _, err := os.Stat(filepath.Join(dir, "evergrant.db")); err == nil {
		return "", fmt.Errorf("the data folder %s is that of a hub without emulated services: they would appear among the real ones; choose another with --data-dir", dir)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	secret := fmt.Sprintf("%x", time.Now().UnixNano())
	return secret, os.WriteFile(path, []byte(secret+"\n"), 0o600)
}
