package pluginhost

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"sync"
)

// executableRE is the name of a plugin's file. Anything else in the folder is
// left alone: checksums, half-copied files, notes.
var executableRE = regexp.MustCompile(`^evergrant-provider-([a-z0-9]+(?:-[a-z0-9]+)*)$`)

// Scan makes the host know what is in its folder: new plugins are described,
// changed ones replaced, missing ones stopped, and those that failed get another
// chance. A plugin that fails is shown so in Plugins and does not fail the scan.
// Errors: the folder cannot be read, ctx ended, or the host was stopped.
func (h *Host) Scan(ctx context.Context) error {
	h.scanning.Lock()
	defer h.scanning.Unlock()
	if h.life.Err() != nil {
		return errors.New("look for plugins: the host was stopped")
	}
	paths, err := findExecutables(h.opts.Dir)
	if err != nil {
		return err
	}
	found := h.adjust(paths)
	atOnce := make(chan struct{}, 2*runtime.GOMAXPROCS(0))
	var examined sync.WaitGroup
	for _, s := range found {
		examined.Go(func() {
			atOnce <- struct{}{}
			defer func() { <-atOnce }()
			s.examine(ctx)
		})
	}
	examined.Wait()
	h.index()
	return ctx.Err()
}

// findExecutables returns the paths of plugins by name.
func findExecutables(dir string) (map[string]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("look for plugins: %w", err)
	}
	paths := make(map[string]string, len(entries))
	for _, entry := range entries {
		if match := executableRE.FindStringSubmatch(entry.Name()); match != nil && !entry.IsDir() {
			paths[match[1]] = filepath.Join(dir, entry.Name())
		}
	}
	return paths, nil
}

// adjust makes a supervisor for each path and retires those without one.
func (h *Host) adjust(paths map[string]string) []*supervisor {
	h.mu.Lock()
	defer h.mu.Unlock()
	for name, s := range h.supervisors {
		if _, still := paths[name]; !still {
			h.log.Info("the plugin's file is gone", "plugin", name)
			delete(h.supervisors, name)
			h.work.Go(func() { s.close(context.Background()) })
		}
	}
	found := make([]*supervisor, 0, len(paths))
	for name, path := range paths {
		s := h.supervisors[name]
		if s == nil {
			s = newSupervisor(h, name, path)
			h.supervisors[name] = s
		}
		found = append(found, s)
	}
	return found
}

// sumOf returns the SHA-256 of an executable in lower-case hex. What is no
// executable file is a defect.
func sumOf(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", defectf("its file cannot be read: %v", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", fmt.Errorf("look at the plugin's file: %w", err)
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o111 == 0 {
		return "", defectf("its file is not executable: run chmod +x %s", path)
	}
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return "", fmt.Errorf("read the plugin's file: %w", err)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// examine learns what a plugin serves, from the cache or from the plugin.
func (s *supervisor) examine(ctx context.Context) {
	sum, err := sumOf(s.path)
	if err != nil {
		s.startFailed(err)
		return
	}
	if !s.isNews(sum) {
		return
	}
	if s.adoptCached(ctx, sum) {
		return
	}
	in, err := s.launch(ctx)
	if ctx.Err() != nil && err != nil {
		return // not the plugin's fault
	}
	if err != nil {
		s.startFailed(err)
		return
	}
	s.adopt(ctx, in.sum, in.info.Version, in.info.Descriptions)
	s.install(in)
}

// isNews reports whether the plugin has to be asked, and forgets its failures.
func (s *supervisor) isNews(sum string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.sum == sum && len(s.descriptions) > 0
	if !known || s.restarts.defect || s.restarts.spent {
		s.restarts = restarts{}
	}
	return !known
}

// adoptCached takes what the cache knows of an executable.
func (s *supervisor) adoptCached(ctx context.Context, sum string) bool {
	if s.host.opts.Cache == nil {
		return false
	}
	version, descriptions, found, err := s.host.opts.Cache.PluginBySum(ctx, sum)
	if err != nil {
		s.log.Warn("the description of the plugin cannot be read from the cache; it is started to ask", "error", err)
	}
	if err != nil || !found || len(descriptions) == 0 {
		return false
	}
	s.adopt(ctx, sum, version, descriptions)
	s.replaceWith(nil)
	return true
}

// install puts a described instance in the place of a running one. Without one
// it is stopped: plugins run when they are called.
func (s *supervisor) install(in *instance) {
	s.mu.Lock()
	running := s.current != nil
	s.mu.Unlock()
	if running {
		s.replaceWith(in)
		return
	}
	in.stop(s.host.opts.StopGrace)
}
