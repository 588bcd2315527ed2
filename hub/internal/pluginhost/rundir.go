package pluginhost

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

const (
	// runtimePrefix names folders that were made without being asked for a place.
	runtimePrefix = "evergrant-plugins-"
	// pluginDirs are the private folders of instances; go-plugin names them so.
	pluginDirs = "plugin-dir*"
	lockFile   = "lock"
)

// openRuntimeDir makes the folder for sockets ready and takes it into use. What
// dead hubs left is removed; living ones hold a lock.
func openRuntimeDir(dir string) (path string, unlock func(), err error) {
	made := dir == ""
	if made {
		sweepAbandoned()
		if dir, err = os.MkdirTemp("", runtimePrefix); err != nil {
			return "", nil, fmt.Errorf("make a folder for the plugins' sockets: %w", err)
		}
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return "", nil, fmt.Errorf("find the folder for the plugins' sockets: %w", err)
	}
	if longest := len(dir) + len("/plugin-dir4294967295/plugin4294967295"); longest > maxSocketPath {
		return "", nil, fmt.Errorf("the folder for the plugins' sockets has a path of %d bytes, at most %d are possible: choose a shorter one than %s", len(dir), len(dir)-longest+maxSocketPath, dir)
	}
	if err := makePrivate(dir); err != nil {
		return "", nil, err
	}
	lock, err := lockDir(dir)
	if err != nil {
		return "", nil, fmt.Errorf("take the folder for the plugins' sockets %s into use (does another hub use it?): %w", dir, err)
	}
	sweep(dir)
	return dir, func() {
		if made {
			_ = os.RemoveAll(dir)
		}
		_ = lock.Close()
	}, nil
}

func makePrivate(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the folder for the plugins' sockets: %w", err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("look at the folder for the plugins' sockets: %w", err)
	}
	if os.Geteuid() == 0 && info.Mode().Perm() == 0o700 {
		// Plugins run as other users, each in a folder of its own in here.
		if err := os.Chmod(dir, 0o711); err != nil { //nolint:gosec // G302: see above
			return fmt.Errorf("let plugins pass the folder for their sockets: %w", err)
		}
		return nil
	}
	if info.Mode().Perm()&0o066 != 0 {
		return fmt.Errorf("the folder for the plugins' sockets is open to others: run chmod 700 %s, or choose another", dir)
	}
	return nil
}

// lockDir holds a folder until the file is closed or the hub dies.
func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// sweep removes the folders of instances; the caller holds the lock, so there
// are none alive.
func sweep(dir string) {
	stale, _ := filepath.Glob(filepath.Join(dir, pluginDirs)) // the pattern is ours
	for _, path := range stale {
		_ = os.RemoveAll(path)
	}
}

// sweepAbandoned removes folders in the system's temporary one whose hub died.
// One without a lock file may be just being made and is left alone.
func sweepAbandoned() {
	dirs, _ := filepath.Glob(filepath.Join(os.TempDir(), runtimePrefix+"*")) // the pattern is ours
	for _, dir := range dirs {
		if !ownDir(dir) {
			continue
		}
		if _, err := os.Lstat(filepath.Join(dir, lockFile)); err != nil {
			continue
		}
		if lock, err := lockDir(dir); err == nil {
			_ = os.RemoveAll(dir)
			_ = lock.Close()
		}
	}
}

func ownDir(dir string) bool {
	info, err := os.Lstat(dir)
	if err != nil || !info.IsDir() {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Getuid()
}
