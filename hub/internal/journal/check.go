package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Len is the number of operations that are not done.
func (j *Journal) Len() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.pending)
}

// Check reports whether replies can be made durable now: a file beside the journal is
// written, synced and removed. Renewals do not begin where they cannot.
func (j *Journal) Check() error {
	j.mu.Lock()
	broken := j.broken
	j.mu.Unlock()
	if broken != nil {
		return broken
	}
	return TryDisk(filepath.Dir(j.path))
}

// TryDisk writes and syncs a small file in a folder and removes it.
func TryDisk(folder string) error {
	f, err := os.CreateTemp(folder, ".try-")
	if err != nil {
		return fmt.Errorf("write beside the journal: %w", err)
	}
	_, err = f.Write(make([]byte, 4096))
	if err = errors.Join(err, f.Sync(), f.Close(), os.Remove(f.Name())); err != nil {
		return fmt.Errorf("write beside the journal: %w", err)
	}
	return nil
}
