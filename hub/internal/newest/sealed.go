package newest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/evergrant/evergrant/hub/internal/seal"
)

// Sealed is an entry as the file has it, for a backup.
type Sealed struct {
	ConnectionID, Lineage string
	Generation            int64
	Tokens                []byte
	// SavedAt is in Unix milliseconds.
	SavedAt int64
}

// Check opens the entry with the key.
func (s Sealed) Check(box *seal.Box) error {
	_, err := (&row{connectionID: s.ConnectionID, lineage: s.Lineage, generation: s.Generation, tokens: s.Tokens, savedAt: s.SavedAt}).open(box)
	return err
}

// ReadSealed calls do for every entry of the file in a data folder, at one moment, while a
// hub may write to it. Without a file there is none.
func ReadSealed(ctx context.Context, dir string, do func(Sealed) error) error {
	path := filepath.Join(dir, FileName)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	db, err := pool(path, "_pragma=query_only(1)")
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(ctx, selectEntries)
	if err != nil {
		return fmt.Errorf("read the newest token sets: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var r row
		if err := r.scan(rows); err != nil {
			return fmt.Errorf("read the newest token sets: %w", err)
		}
		if err := do(Sealed{ConnectionID: r.connectionID, Lineage: r.lineage, Generation: r.generation, Tokens: r.tokens, SavedAt: r.savedAt}); err != nil {
			return err
		}
	}
	return rows.Err()
}

// PutSealed is Put for entries of a backup, all in one commit.
func (k *Keeper) PutSealed(ctx context.Context, entries ...Sealed) error {
	return k.change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for _, s := range entries {
			e := Entry{ConnectionID: s.ConnectionID, SavedAt: timeOf(s.SavedAt)}
			e.Lineage, e.Generation = s.Lineage, s.Generation
			other := k.index.raise(e.ConnectionID, e.Lineage, e.Generation)
			if err := k.put(ctx, tx, e, s.Tokens, int64(len(s.Tokens)+overhead), other); err != nil {
				return err
			}
		}
		return nil
	})
}
