// Package plugintest builds the programs that tests run as plugins.
//
// A program is built once for all packages of a test run, and for later runs until its
// code changes: it lies in .cache/test-plugins under the sum of what it is built from.
// Builders wait for each other by a lock on a file beside it.
package plugintest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// Prefix is how the file of a plugin begins; its name follows.
const Prefix = "evergrant-provider-"

// Put builds the program of a folder of the repository ("plugins/google") and puts it
// into dir as the plugin of a name. It returns its path. The file is a copy, because a
// host watches its plugins' files, and a further link would look like a change.
func Put(dir, name, source string) (path string, err error) {
	program, err := Build(source)
	if err != nil {
		return "", err
	}
	data, err := os.ReadFile(program)
	if err != nil {
		return "", fmt.Errorf("read the program of %s: %w", source, err)
	}
	path = filepath.Join(dir, Prefix+name)
	return path, os.WriteFile(path, data, 0o755) //nolint:gosec // G306: a confined plugin is executed by another user
}

// Build builds the program of a folder of the repository, statically as plugins are, and
// returns its path. Others use the file too: it is not to be changed. A program that is made
// of more than its folder, the SDK and the plugins names those folders as well.
func Build(source string, more ...string) (program string, err error) {
	root, err := repository()
	if err != nil {
		return "", err
	}
	sum, err := sumOf(root, source, more...)
	if err != nil {
		return "", fmt.Errorf("read what %s is built from: %w", source, err)
	}
	cache := filepath.Join(root, ".cache", "test-plugins")
	if err := os.MkdirAll(cache, 0o755); err != nil { //nolint:gosec // G301: as the rest of the repository
		return "", fmt.Errorf("make the folder of programs for tests: %w", err)
	}
	program = filepath.Join(cache, filepath.Base(source)+"-"+sum[:16])
	unlock, err := lock(program + ".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	return program, build(root, source, program)
}

// build writes a program beside its place first, so that a build that is broken off
// leaves nothing there.
func build(root, source, program string) error {
	command := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", program+".new", "./"+filepath.ToSlash(source))
	command.Dir = root
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", source, err, out)
	}
	prune(filepath.Dir(program))
	return os.Rename(program+".new", program)
}

// keep is how long a program is kept after it was built.
const keep = 7 * 24 * time.Hour

// prune removes old programs; one that is still asked for is built again.
func prune(cache string) {
	entries, _ := os.ReadDir(cache) // what cannot be read is looked at with the next build
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil && time.Since(info.ModTime()) > keep && filepath.Ext(entry.Name()) != ".lock" {
			_ = os.Remove(filepath.Join(cache, entry.Name()))
		}
	}
}

// repository is the folder of go.work, above the package that is tested.
func repository() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.work")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("find the repository: no folder above has a go.work; run tests from inside of it")
		}
	}
}

// lock waits for its turn.
func lock(path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock a program for tests: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return func() { _ = file.Close() }, nil
}
