package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/evergrant/evergrant/hub/test/chaos/authority"
)

// ownResolvConf is a command that starts another one with a resolv.conf of its
// own, in a mount namespace that ends with it.
func ownResolvConf(ctx context.Context, conf string) ([]string, error) {
	wrap := []string{
		"unshare", "--mount", "--propagation", "private", "sh", "-c",
		`mount --bind "$1" "$(readlink -f /etc/resolv.conf)" && shift && exec "$@"`, "sh", conf,
	}
	try := append(append([]string{}, wrap...), "true")
	if out, err := exec.CommandContext(ctx, try[0], try[1:]...).CombinedOutput(); err != nil { //nolint:gosec // a fixed command
		return nil, skipError{fmt.Sprintf("a resolv.conf cannot be mounted: %v: %s", err, out)}
	}
	return wrap, nil
}

// disk is a small file system.
type disk struct{ path string }

// mountDisk mounts a file system of so many MiB in memory.
func mountDisk(path string, size int) (*disk, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, err
	}
	if err := syscall.Mount("chaos", path, "tmpfs", 0, fmt.Sprintf("size=%dm", size)); err != nil {
		return nil, err
	}
	return &disk{path: path}, nil
}

// unmount also when something still has a file open.
func (d *disk) unmount() { _ = syscall.Unmount(d.path, syscall.MNT_DETACH) }

func (d *disk) filler() string { return filepath.Join(d.path, "filler") }

// fill leaves no byte.
func (d *disk) fill() error {
	f, err := os.Create(d.filler())
	if err != nil {
		return err
	}
	defer f.Close()
	for block := make([]byte, 64<<10); len(block) > 0; block = block[:len(block)/2] {
		for err == nil {
			_, err = f.Write(block)
		}
		if !errors.Is(err, syscall.ENOSPC) {
			return err
		}
		err = nil
	}
	return nil
}

func (d *disk) free() { _ = os.Remove(d.filler()) }

// fillAt fills the disk while a token request is being served.
func (d *disk) fillAt(ctx context.Context, a *authority.Server) error {
	var once sync.Once
	var err error
	full := make(chan struct{})
	a.SetFault(authority.Fault{Before: func() {
		once.Do(func() {
			err = d.fill()
			close(full)
		})
		<-full
	}})
	select {
	case <-full:
	case <-ctx.Done():
		return ctx.Err()
	}
	a.SetFault(authority.Fault{})
	return err
}
