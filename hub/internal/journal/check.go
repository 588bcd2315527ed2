package journal

import (
	"errors"
	"fmt"
	"os"
)

// Len is the number of operations that are not done.
func (j *Journal) Len() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.pending)
}

// Size is the number of segments, and of the bytes in them.
func (j *Journal) Size() (segments int, bytes int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, s := range j.segments {
		bytes += s.size
	}
	return len(j.segments), bytes
}

// Check reports whether replies can be made durable now: the folder is in its place, or
// could be made anew, and a file in it can be written, synced and removed. Renewals do
// not begin where they cannot.
func (j *Journal) Check() error {
	j.mu.Lock()
	err := j.ensure()
	j.mu.Unlock()
	if err != nil {
		return err
	}
	return TryDisk(j.home.dir)
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
