package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub"
	"github.com/evergrant/evergrant/plugins/demo"
)

type demoCmd struct {
	configFlags `embed:""`

	FirstPort int           `help:"Port of the first emulator on 127.0.0.1; the others follow." default:"8091"`
	TokenTTL  time.Duration `help:"Life of access tokens, for example 30s, to watch renewals; 0 is what each service really has." default:"0"`
}

// The demo has a data folder of its own, so that emulated services do not appear in a
// real hub, and files in it beside the hub's.
const (
	demoDataDir = "./data-demo"
	demoMark    = "demo"
	demoGrants  = "demo-grants.json"
)

// Run serves beside the emulators until a signal comes.
func (c demoCmd) Run(ctx context.Context) error {
	if c.DataDir == "" && c.Config == "" && os.Getenv("EVERGRANT_DATA_DIR") == "" {
		c.DataDir = demoDataDir
	}
	cfg, err := c.load()
	if err != nil {
		return err
	}
	// The services in the data folder must find the same addresses, secrets and grants again.
	secret, err := demoSecret(cfg.DataDir)
	if err != nil {
		return err
	}
	// The emulators are on this machine, which services usually may not reach.
	cfg.Egress.PrivateNetworks = append(cfg.Egress.PrivateNetworks, "127.0.0.0/8")
	world, err := demo.Start(demo.Config{FirstPort: c.FirstPort, AccessTTL: c.TokenTTL, Secret: secret, Grants: filepath.Join(cfg.DataDir, demoGrants)})
	if err != nil {
		return fmt.Errorf("%w (choose other ports with --first-port)", err)
	}
	log := newLogger(cfg.Log.Level, cfg.Log.Format)
	defer func() {
		if err := world.Close(); err != nil {
			log.Error("save demo grants failed, the newest are lost", "error", err)
		}
	}()
	return hub.Run(ctx, cfg, hub.Options{Logger: log, Version: version}, func(h *hub.Hub) {
		if err := addServices(ctx, h, world); err != nil {
			log.Error("add demo services failed", "error", err)
		}
		greet(ctx, h)
		fmt.Println("  Emulated services, ready to connect (log in with what the page fills in):")
		for _, s := range world.Services {
			fmt.Printf("    %-28s %s\n", s.Title, s.Address)
		}
		for _, s := range world.More {
			if s.Grant == byDevice {
				fmt.Printf("    %-28s %s\n", s.Title, s.Address)
			}
		}
		fmt.Println("  Connected already, without a browser:")
		for _, s := range world.More {
			if s.Grant != byDevice {
				fmt.Printf("    %-36s %s\n", s.Title, s.Address)
			}
		}
		fmt.Println()
	})
}

// addServices adds a service for each emulator that the hub does not have yet, and
// registers the hub's redirect URI at each emulator.
func addServices(ctx context.Context, h *hub.Hub, world *demo.World) error {
	key, err := h.AdminKey(ctx, "demo set-up", 10*time.Minute)
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
	for _, s := range world.More {
		if err := connectMore(ctx, client, s); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", s.Name, err))
		}
	}
	return errors.Join(errs...)
}

// byDevice is the grant of services whose people enter a code on another device.
const byDevice = "device_code"

// connectMore adds a service that nobody authorizes in a browser, with its connection, which
// the hub gets tokens for at once; one by a device code waits for its person.
func connectMore(ctx context.Context, client *hubClient, s *demo.Service) error {
	if _, err := addService(ctx, client, s); err != nil {
		return err
	}
	var there struct{}
	err := client.get(ctx, "/api/v1/connections/"+s.Name, &there)
	if problem, ok := errors.AsType[*apiError](err); !ok || problem.Status != http.StatusNotFound {
		return err
	}
	body := map[string]any{"service": s.Name, "name": s.Name, "title": s.Title, "grant": s.Grant, "fields": s.Fields}
	if s.Life > 0 {
		body["ends_at"] = time.Now().Add(s.Life)
	}
	return client.post(ctx, "/api/v1/connections", body, &there)
}

// serviceView is what this command reads of a service.
type serviceView struct {
	Name        string `json:"name"`
	RedirectURI string `json:"redirect_uri"`
}

// addService adds one service, or brings the stored one up to date, and returns
// its redirect URI.
func addService(ctx context.Context, client *hubClient, s *demo.Service) (string, error) {
	body := map[string]any{
		"name": s.Name, "title": s.Title, "provider": s.Provider, "client_id": s.ClientID, "client_secret": s.ClientSecret,
		"scopes": s.Scopes, "options": s.Options,
	}
	var view serviceView
	err := client.get(ctx, "/api/v1/services/"+s.Name, &view)
	if problem, ok := errors.AsType[*apiError](err); ok && problem.Status == http.StatusNotFound {
		err = client.post(ctx, "/api/v1/services", body, &view)
	} else if err == nil {
		body["consent_hosts"] = hostsOf(s)
		err = client.call(ctx, http.MethodPut, "/api/v1/services/"+s.Name, body, &view)
	}
	return view.RedirectURI, err
}

// hostsOf are the addresses of an emulator as the hosts of a service are named. Its grants
// are told to go there: with another first port they are new.
func hostsOf(s *demo.Service) []string {
	var hosts []string
	for _, option := range s.Options {
		text, _ := option.(string)
		if address, err := url.Parse(text); err == nil && address.Host != "" {
			hosts = append(hosts, address.Scheme+"://"+address.Host)
		}
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

// demoSecret reads or makes what the emulators' client secrets are made of. A folder that
// is a real hub's is refused.
func demoSecret(dir string) (string, error) {
	path := filepath.Join(dir, demoMark)
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
