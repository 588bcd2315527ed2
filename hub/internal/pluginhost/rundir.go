package pluginhost

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
)

const (
	// runtimePrefix is the prefix of folders that were created without a configured
	// place.
	runtimePrefix = "evergrant-plugins-"
	// pluginDirs are the private folders of instances; go-plugin names them so.
	pluginDirs = "plugin-dir*"
	lockFile   = "lock"
)

// runtimeDir is the folder for sockets. It is locked while its host runs, so that it is
// not taken for the leftover of a hub that has ended.
type runtimeDir struct {
	chosen string // as configured; "" has one made in the system's temporary folder

	mu   sync.Mutex
	path string
	lock *os.File
}

// openRuntimeDir creates and locks the folder for sockets. The leftovers of hubs that
// have ended are removed.
func openRuntimeDir(chosen string) (*runtimeDir, error) {
	if chosen == "" {
		sweepAbandoned()
	}
	d := &runtimeDir{chosen: chosen}
	_, err := d.use()
	return d, err
}

// mostTakes bounds how often a folder is taken that goes at once.
const mostTakes = 10

// use returns the folder, for one more plugin to start in. It is recreated if it was
// removed: by a cleaner of temporary files after days without a start, or by another hub
// that found it before it was locked.
func (d *runtimeDir) use() (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for range mostTakes {
		if d.holds() {
			return d.path, nil
		}
		if err := d.take(); err != nil && (d.chosen != "" || !swept(err)) {
			return "", err
		}
	}
	return "", fmt.Errorf("the folder for the plugins' sockets was removed %d times as soon as it was made: see what cleans up %s", mostTakes, filepath.Dir(d.path))
}

// holds reports whether the folder is still the one that is locked.
func (d *runtimeDir) holds() bool {
	if d.lock == nil {
		return false
	}
	locked, err := d.lock.Stat()
	if err != nil {
		return false
	}
	there, err := os.Lstat(filepath.Join(d.path, lockFile))
	return err == nil && os.SameFile(locked, there)
}

// take makes the folder, locks it and empties it.
func (d *runtimeDir) take() (err error) {
	if d.lock != nil {
		_ = d.lock.Close()
		d.lock = nil
	}
	dir := d.chosen
	if dir == "" {
		if dir, err = os.MkdirTemp("", runtimePrefix); err != nil {
			return fmt.Errorf("%w: %w; name a folder that can be written by plugins.runtime_dir", errNoTemporary, err)
		}
	}
	if d.path, err = filepath.Abs(dir); err != nil {
		return fmt.Errorf("find the folder for the plugins' sockets: %w", err)
	}
	if longest := len(d.path) + len("/plugin-dir4294967295/plugin4294967295"); longest > maxSocketPath {
		return fmt.Errorf("the folder for the plugins' sockets has a path of %d bytes, at most %d are possible: choose a shorter one than %s by plugins.runtime_dir", len(d.path), len(d.path)-longest+maxSocketPath, d.path)
	}
	if err := makePrivate(d.path); err != nil {
		return err
	}
	if d.lock, err = lockDir(d.path); err != nil {
		return fmt.Errorf("take the folder for the plugins' sockets %s into use (does another hub use it?): %w", d.path, err)
	}
	sweep(d.path)
	return nil
}

var errNoTemporary = errors.New("make a folder for the plugins' sockets in the temporary folder")

// swept reports whether a folder that was just made could not be taken because
// another hub was removing it.
func swept(err error) bool {
	return !errors.Is(err, errNoTemporary) && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.EWOULDBLOCK))
}

// release gives the folder free for another host; one that was made is removed.
func (d *runtimeDir) release() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.chosen == "" && d.holds() {
		_ = os.RemoveAll(d.path)
	}
	_ = d.lock.Close()
}

func makePrivate(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the folder for the plugins' sockets: %w; name one that can be written by plugins.runtime_dir", err)
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

// lockDir locks a folder until the file is closed or the hub exits.
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
