package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// home is the journal's folder: locked, and named after a replica.
type home struct {
	// moved is set when the folder was recreated, until onMoved was called.
	moved  bool
	dir    string
	markMu sync.Mutex // guards mark and its files
	mark   Mark
	lock   *os.File
	info   os.FileInfo // of the lock
	device uint64      // of the folder above
}

const (
	lockName    = "lock"
	replicaFile = "replica"
)

// enter makes the folder if need be, locks it and reads its name.
func enter(dir string) (*home, error) {
	h := &home{dir: dir}
	if err := h.make(); err != nil {
		return nil, err
	}
	var err error
	if h.lock, h.info, err = takeLock(dir); err != nil {
		return nil, err
	}
	if h.mark, err = readMark(dir); err == nil {
		err = h.writeMark()
	}
	if err == nil {
		h.device, err = deviceOf(filepath.Dir(dir))
	}
	if err != nil {
		return nil, errors.Join(err, h.lock.Close())
	}
	return h, nil
}

// make makes the folder durable.
func (h *home) make() error {
	if _, err := os.Stat(h.dir); err == nil {
		return nil
	}
	if err := os.MkdirAll(h.dir, 0o700); err != nil {
		return fmt.Errorf("make the journal's folder: %w", err)
	}
	if err := syncDir(filepath.Dir(h.dir)); err != nil {
		return fmt.Errorf("make the journal's folder: %w", err)
	}
	return nil
}

// takeLock locks the folder. The file may be replaced in between, so that it is looked
// at again.
func takeLock(dir string) (*os.File, os.FileInfo, error) {
	path := filepath.Join(dir, lockName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("lock the journal: %w", err)
	}
	if err := flock(f); err != nil {
		_ = f.Close()
		return nil, nil, fmt.Errorf("the journal %s is in use by another hub: give each hub a data folder of its own: %w", dir, err)
	}
	info, err := f.Stat()
	if err == nil {
		err = sameFile(path, info)
	}
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("lock the journal: %w", err), f.Close())
	}
	return f, info, nil
}

func (h *home) locked() error { return sameFile(filepath.Join(h.dir, lockName), h.info) }

// holds reports whether the folder and a segment are where they were.
func (h *home) holds(s *segment) error {
	if err := h.locked(); err != nil {
		return fmt.Errorf("the journal's folder is gone: %w", err)
	}
	if err := sameFile(s.path, s.info); err != nil {
		return fmt.Errorf("the journal's segment is gone: %w", err)
	}
	return nil
}

// retake makes the folder anew if it is gone. One that another hub uses or has used is
// left alone; own are the segments that this hub has in it.
func (h *home) retake(own []*segment) error {
	if h.locked() != nil {
		if err := h.remake(own); err != nil {
			return err
		}
	}
	if err := h.othersName(); err != nil {
		return err
	}
	return h.writeMark()
}

func (h *home) remake(own []*segment) error {
	if device, err := deviceOf(filepath.Dir(h.dir)); err == nil && device != h.device {
		return fmt.Errorf("the disk of the journal %s is not mounted: mount it, or restart the hub", h.dir)
	}
	if err := h.make(); err != nil {
		return err
	}
	// Another hub's folder is not even locked; and one may have come before the lock.
	if err := errors.Join(h.othersName(), h.othersSegments(own)); err != nil {
		return err
	}
	lock, info, err := takeLock(h.dir)
	if err != nil {
		return err
	}
	if err := errors.Join(h.othersName(), h.othersSegments(own)); err != nil {
		return errors.Join(err, lock.Close())
	}
	_ = h.lock.Close()
	h.lock, h.info, h.moved = lock, info, true
	return nil
}

const putBack = "put the hub's own folder back, or move this one away"

func (h *home) name() string {
	h.markMu.Lock()
	defer h.markMu.Unlock()
	return h.mark.Replica
}

// othersName fails in the folder of another hub.
func (h *home) othersName() error {
	data, err := os.ReadFile(filepath.Join(h.dir, replicaFile))
	if name := strings.TrimSpace(string(data)); err == nil && name != "" && name != h.name() {
		return fmt.Errorf("the journal's folder %s was replaced by that of another hub: %s", h.dir, putBack)
	}
	return nil
}

// othersSegments fails in a folder with replies that this hub does not know.
func (h *home) othersSegments(own []*segment) error {
	paths, err := segmentPaths(h.dir)
	if err != nil {
		return fmt.Errorf("read the journal's folder: %w", err)
	}
	for _, path := range paths {
		if isOthers(path, own) {
			return fmt.Errorf("the journal's folder %s was replaced by one with other replies (%s): %s", h.dir, filepath.Base(path), putBack)
		}
	}
	return nil
}

// isOthers reports whether a listed file exists and belongs to another journal. A file
// that was removed since the listing, as the whole folder may be, belongs to none.
func isOthers(path string, own []*segment) bool {
	now, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false
	}
	return err != nil || !slices.ContainsFunc(own, func(s *segment) bool { return s.path == path && os.SameFile(now, s.info) })
}

func flock(f *os.File) error {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}

func deviceOf(path string) (uint64, error) {
	var s syscall.Stat_t
	if err := syscall.Stat(path, &s); err != nil {
		return 0, err
	}
	return uint64(s.Dev), nil //nolint:unconvert // the type differs between systems
}

// writeDurably replaces a file as a whole.
func writeDurably(path string, data []byte) error {
	tmp := path + ".new"
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		_ = os.Remove(tmp)
		return err
	}
	return syncDir(filepath.Dir(path))
}
