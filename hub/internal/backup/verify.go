package backup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/evergrant/evergrant/hub/internal/seal"
	"github.com/evergrant/evergrant/hub/internal/store"
)

// Verify proves a backup by restoring it into a throw-away SQLite database in a temporary
// folder: authentication, counts, tables, references, and every sealed value opens with
// the key. progress is called after each table; optional. Errors: ErrDamaged, or the first
// check that failed.
func Verify(ctx context.Context, file string, box *seal.Box, progress func(table string, rows int64)) (s Summary, err error) {
	f, err := os.Open(file)
	if err != nil {
		return s, fmt.Errorf("open the backup: %w", err)
	}
	defer func() { _ = f.Close() }()
	dir, err := os.MkdirTemp("", "evergrant-verify-")
	if err != nil {
		return s, fmt.Errorf("make a folder to restore into: %w; set TMPDIR to one that can be written and has room", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	l := &loader{to: Target{Database: store.Options{URL: "sqlite:" + filepath.Join(dir, "evergrant.db")}, Box: box, Progress: progress}}
	defer func() { err = errors.Join(err, l.close()) }()
	s, err = l.load(ctx, f)
	if err != nil {
		return s, err
	}
	return s, nil
}
