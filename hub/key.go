package hub

import (
	"fmt"
	"os"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/config"
	"github.com/evergrant/evergrant/hub/internal/seal"
)

// Config is the hub's configuration; LoadConfig reads one.
type Config = config.Config

// LoadConfig reads the configuration from a file ("" for none), the environment
// (os.Environ) and what flags set, later ones winning. Its error names every
// problem.
func LoadConfig(file string, environ []string, flags map[string]any) (Config, error) {
	return config.Load(file, environ, flags)
}

// openKey opens the key that seals secrets. Only the embedded default makes one
// by itself: with a shared database a new key would read nothing.
func openKey(cfg Config, log hclog.Logger) (*seal.Box, error) {
	if err := os.MkdirAll(cfg.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	if cfg.Key.Value != "" {
		return seal.FromKey(cfg.Key.Value)
	}
	if _, err := os.Stat(cfg.Key.File); err == nil {
		return seal.Open(cfg.Key.File)
	}
	if cfg.Database.URL != "" {
		return nil, fmt.Errorf("there is no key at %s: with a database of your own the hub does not make one by itself; run `evergrant key create`, keep a copy, and give every replica the same", cfg.Key.File)
	}
	box, err := seal.Create(cfg.Key.File)
	if err != nil {
		return nil, err
	}
	log.Warn("a key was created that seals all secrets; keep a copy of it, for without it every grant is lost", "file", cfg.Key.File)
	return box, nil
}

// CreateKey writes a new key file, mode 0600, and refuses to overwrite one.
func CreateKey(file string) error {
	_, err := seal.Create(file)
	return err
}
