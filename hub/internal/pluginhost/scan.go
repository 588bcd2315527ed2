package pluginhost

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"sync"
)

// executableRE is the name of a plugin's file. Anything else in the folder is
// left alone: checksums, half-copied files, notes.
var executableRE = regexp.MustCompile(`^evergrant-provider-([a-z0-9]+(?:-[a-z0-9]+)*)$`)

// Installed is what was installed, beside what lies in the folder.
type Installed struct {
	// Sources replace files of the same name in the folder.
	Sources []Source
	// Off are names of plugins that are not to run, installed or not.
	Off []string
}

// Scan makes the host know what is in its folder and what is installed: new
// plugins are described, changed ones replaced, missing ones stopped, and those
// that failed get another chance. A plugin that fails is shown so in Plugins and
// does not fail the scan. Errors: the folder cannot be read, ctx ended, or the host
// was stopped.
func (h *Host) Scan(ctx context.Context) error {
	h.scanning.Lock()
	defer h.scanning.Unlock()
	if h.life.Err() != nil {
		return errors.New("look for plugins: the host was stopped")
	}
	sources, err := h.sources()
	if err != nil {
		return err
	}
	atOnce := make(chan struct{}, 2*runtime.GOMAXPROCS(0))
	var examined sync.WaitGroup
	for s, source := range h.adjust(sources) {
		examined.Go(func() {
			atOnce <- struct{}{}
			defer func() { <-atOnce }()
			s.examine(ctx, source)
		})
	}
	examined.Wait()
	h.index()
	return ctx.Err()
}

// sources are all plugins that there should be, by name.
func (h *Host) sources() (map[string]Source, error) {
	sources, err := findExecutables(h.opts.Dir)
	if err != nil {
		return nil, err
	}
	if h.opts.Installed != nil {
		installed := h.opts.Installed()
		for _, source := range installed.Sources {
			sources[source.Name] = source
		}
		for _, name := range installed.Off {
			delete(sources, name)
		}
	}
	if h.opts.Documents != nil {
		for name, source := range sources {
			source.Documents = h.opts.Documents(name)
			sources[name] = source
		}
	}
	return sources, nil
}

// findExecutables returns the plugins of a folder by name.
func findExecutables(dir string) (map[string]Source, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("look for plugins: %w", err)
	}
	sources := make(map[string]Source, len(entries))
	for _, entry := range entries {
		if match := executableRE.FindStringSubmatch(entry.Name()); match != nil && !entry.IsDir() {
			sources[match[1]] = Source{Name: match[1], Path: filepath.Join(dir, entry.Name())}
		}
	}
	return sources, nil
}

// adjust makes a supervisor for each source and retires those without one.
func (h *Host) adjust(sources map[string]Source) map[*supervisor]Source {
	h.mu.Lock()
	defer h.mu.Unlock()
	for name, s := range h.supervisors {
		if _, still := sources[name]; !still {
			h.log.Info("plugin removed", "plugin", name)
			delete(h.supervisors, name)
			h.work.Go(func() { s.close(context.Background()) })
		}
	}
	wanted := make(map[*supervisor]Source, len(sources))
	for name, source := range sources {
		s := h.supervisors[name]
		if s == nil {
			s = newSupervisor(h, source)
			h.supervisors[name] = s
		}
		wanted[s] = source
	}
	return wanted
}
