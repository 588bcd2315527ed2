package hub

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/hashicorp/go-hclog"
)

// makeDataDir creates the data folder and tests it, so that its errors come first, and
// restricts its permissions.
func makeDataDir(dir string, log hclog.Logger) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the data folder (choose another with EVERGRANT_DATA_DIR): %w", err)
	}
	f, err := os.CreateTemp(dir, ".try-")
	if err != nil {
		return fmt.Errorf("the data folder %s cannot be written: give it to the hub's user, or choose another with EVERGRANT_DATA_DIR: %w", dir, err)
	}
	if err := errors.Join(f.Close(), os.Remove(f.Name())); err != nil {
		return err
	}
	return closeDataDir(dir, log)
}

// closeDataDir closes what the hub keeps in its data folder to other users. The folder
// itself may be an operator's with a group of its own, so that it is only warned about,
// unless others could put files of theirs into it.
func closeDataDir(dir string, log hclog.Logger) error {
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("look at the data folder: %w", err)
	}
	mode := info.Mode().Perm()
	if mode&0o022 != 0 {
		if err := os.Chmod(dir, mode&^0o022); err != nil {
			return fmt.Errorf("others may write into the data folder %s (mode %04o), and the hub may not change that: run chmod 700 %s: %w", dir, mode, dir, err)
		}
		log.Warn("data folder was writable by others, permissions corrected", "dir", dir, "was", fmt.Sprintf("%04o", mode))
	}
	if mode&0o055 != 0 {
		log.Warn("data folder is readable by others; run chmod 700 unless that is intended", "dir", dir, "mode", fmt.Sprintf("%04o", mode))
	}
	for _, pattern := range kept {
		if err := closeEach(filepath.Join(dir, pattern), log); err != nil {
			return err
		}
	}
	return nil
}

// kept are the names of what the hub itself keeps in its data folder. The key has a check
// of its own, which refuses it.
var kept = []string{"evergrant.db*", "journal", "newest*", "pulls", "installed"}

// closeEach takes from other users what matches a pattern. Links are left as they are.
func closeEach(pattern string, log hclog.Logger) error {
	names, err := filepath.Glob(pattern)
	if err != nil {
		return fmt.Errorf("look into the data folder: %w", err)
	}
	for _, name := range names {
		info, err := os.Lstat(name)
		if errors.Is(err, fs.ErrNotExist) || err == nil && (info.Mode()&fs.ModeSymlink != 0 || info.Mode().Perm()&0o077 == 0) {
			continue
		}
		if err == nil {
			err = os.Chmod(name, info.Mode().Perm()&^0o077)
		}
		if err != nil {
			return fmt.Errorf("others can read %s, which holds what was granted, and the hub may not change that: run chmod go-rwx on it: %w", name, err)
		}
		log.Warn("file in the data folder was readable by others, permissions corrected", "file", name, "was", fmt.Sprintf("%04o", info.Mode().Perm()))
	}
	return nil
}
