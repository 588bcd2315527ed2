package hub

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

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
// by itself: with a shared database a new key would read nothing, and beside a database
// that is there already it would hide that its key is missing.
func openKey(cfg Config, log hclog.Logger) (*seal.Box, error) {
	if cfg.Key.Value != "" {
		return seal.FromKey(cfg.Key.Value)
	}
	if _, err := os.Stat(cfg.Key.File); !errors.Is(err, fs.ErrNotExist) {
		return seal.Open(cfg.Key.File)
	}
	if cfg.Database.URL != "" {
		return nil, fmt.Errorf("there is no key at %s: if the database was used before, put the copy of its key there; with a new database of your own run `evergrant key create`, keep a copy, and give every replica the same", cfg.Key.File)
	}
	if sealed := sealedBefore(cfg.DataDir); sealed != "" {
		return nil, fmt.Errorf("there is no key at %s, but %s was sealed with one: put the copy of that key there (mode 0600); no new one is made, for it would open nothing. To begin anew, move the data folder %s away", cfg.Key.File, sealed, cfg.DataDir)
	}
	if err := os.MkdirAll(filepath.Dir(cfg.Key.File), 0o700); err != nil {
		return nil, fmt.Errorf("make the key's folder: %w", err)
	}
	box, err := seal.Create(cfg.Key.File)
	if err != nil {
		return nil, err
	}
	log.Warn("encryption key created; back it up, without it every grant is lost", "file", cfg.Key.File)
	return box, nil
}

// sealedBefore names what an earlier hub has sealed in a data folder; "" if nothing.
func sealedBefore(dataDir string) string {
	names := []string{filepath.Join(dataDir, "evergrant.db")}
	replies, _ := filepath.Glob(filepath.Join(dataDir, "journal", "replies*.journal"))
	for _, name := range append(names, replies...) {
		if info, err := os.Stat(name); err == nil && info.Size() > 0 {
			return name
		}
	}
	return ""
}

// CreateKey writes a new key file, mode 0600, and refuses to overwrite one.
func CreateKey(file string) error {
	_, err := seal.Create(file)
	return err
}
