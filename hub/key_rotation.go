package hub

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/evergrant/evergrant/hub/internal/journal"
	"github.com/evergrant/evergrant/hub/internal/newest"
	"github.com/evergrant/evergrant/hub/internal/seal"
	"github.com/evergrant/evergrant/hub/internal/store"
)

// KeyUse is a key of the key file, and what it has sealed that is still there.
type KeyUse struct {
	ID uint32 `json:"id"`
	// Seals is set for the key that seals from now on.
	Seals bool `json:"seals"`
	// Database, Newest and Journal count the values in the database, and in the newest
	// token sets and the journal of the data folder.
	Database int `json:"database"`
	Newest   int `json:"newest"`
	Journal  int `json:"journal"`
}

// Used reports whether something would not open without the key.
func (k KeyUse) Used() bool { return k.Database+k.Newest+k.Journal > 0 }

// ErrKeyUsed reports that an encryption key is still needed.
var ErrKeyUsed = errors.New("the key is still needed")

// RotateKey adds a key to the key file that seals from the next start of a hub on; what the
// keys before have sealed opens as before. It returns the new one.
func RotateKey(cfg Config) (uint32, error) {
	box, err := keyFile(cfg)
	if err != nil {
		return 0, err
	}
	if err := box.Rotate(cfg.Key.File); err != nil {
		return 0, err
	}
	return box.KeyID(), nil
}

// RetireKeys removes the keys from the key file that seal no more and that nothing needs in
// the database and in the data folder. It returns those that it removed. Errors:
// ErrKeyUsed, and nothing was removed.
func RetireKeys(ctx context.Context, cfg Config) ([]uint32, error) {
	box, err := keyFile(cfg)
	if err != nil {
		return nil, err
	}
	uses, err := keyUses(ctx, cfg, box)
	if err != nil {
		return nil, err
	}
	var ids []uint32
	for _, k := range uses {
		if k.Seals {
			continue
		}
		if k.Used() {
			return nil, fmt.Errorf("%w: key %d has sealed %d values in the database, %d newest token sets and %d entries of the journal; a hub seals them anew after its start, and the journal follows as it is written", ErrKeyUsed, k.ID, k.Database, k.Newest, k.Journal)
		}
		ids = append(ids, k.ID)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	return ids, box.Retire(cfg.Key.File, ids...)
}

// KeyUses returns how many values each encryption key has sealed.
func KeyUses(ctx context.Context, cfg Config) ([]KeyUse, error) {
	box, err := readKey(cfg)
	if err != nil {
		return nil, err
	}
	return keyUses(ctx, cfg, box)
}

func keyUses(ctx context.Context, cfg Config, box *seal.Box) ([]KeyUse, error) {
	in, err := store.Inspect(ctx, store.Options{URL: cfg.Database.URL, DataDir: cfg.DataDir, Box: box})
	if err != nil {
		return nil, err
	}
	defer func() { _ = in.Close() }()
	database, err := in.SealedBy(ctx)
	if err != nil {
		return nil, err
	}
	sets := map[uint32]int{}
	err = newest.ReadSealed(ctx, cfg.DataDir, func(e newest.Sealed) error {
		if key, ok := seal.KeyOf(e.Tokens); ok {
			sets[key]++
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	entries, err := journal.SealedBy(filepath.Join(cfg.DataDir, "journal"))
	if err != nil {
		return nil, err
	}
	var uses []KeyUse
	for i, id := range box.Keys() {
		uses = append(uses, KeyUse{ID: id, Seals: i == 0, Database: database[id], Newest: sets[id], Journal: entries[id]})
	}
	return uses, nil
}

// keyFile opens the key for a change of its file.
func keyFile(cfg Config) (*seal.Box, error) {
	if cfg.Key.Value != "" {
		return nil, errors.New("the key comes from the environment: write it to a file (base64 -d), name that by EVERGRANT_KEY_FILE, and put what it is then into the environment (base64 -w0)")
	}
	return readKey(cfg)
}

// reseal seals with the present key what older ones of the keyset have sealed, so that they
// can be retired. Every hub does it for its data folder and helps with the database.
func (h *Hub) reseal(ctx context.Context, box *seal.Box) {
	if len(box.Keys()) == 1 {
		return
	}
	log := h.log.Named("key")
	if err := h.newest.Reseal(ctx, box); err != nil && ctx.Err() == nil {
		log.Error("reseal newest token sets with the new encryption key failed, retrying at the next start", "error", err)
	}
	n, err := h.store.Reseal(ctx)
	if err != nil && ctx.Err() == nil {
		log.Error("reseal database with the new encryption key failed, retrying at the next start", "key", box.KeyID(), "sealed", n, "error", err)
		return
	}
	if n > 0 {
		log.Info("database resealed with the new encryption key", "key", box.KeyID(), "sealed", n)
	}
}
