package pluginhost

import (
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// installation is what is installed as "plugin".
type installation struct {
	dir      string
	rejected chan rejection

	mu     sync.Mutex
	source Source
}

// rejection is what a host says of a package that it does not use any more.
type rejection struct{ sum, reason string }

// withInstalled hosts what is installed.
func withInstalled(t *testing.T, opts Options) (*Host, *installation) {
	t.Helper()
	i := &installation{dir: t.TempDir(), rejected: make(chan rejection, 8)}
	opts.Dir = t.TempDir()
	opts.Rejected = func(_, sum, reason string) { i.rejected <- rejection{sum, reason} }
	opts.Installed = func() Installed {
		i.mu.Lock()
		defer i.mu.Unlock()
		return Installed{Sources: []Source{i.source}}
	}
	h, _ := newHost(t, opts)
	return h, i
}

// use makes a plugin of a mode the package that is to run, and has the host take it up.
func (i *installation) use(t *testing.T, h *Host, sum, mode string, change ...func(*Package)) {
	t.Helper()
	pack := &Package{Sum: sum, Version: sum, Hosts: map[string][]string{mode: {"auth.example.com"}}}
	for _, c := range change {
		c(pack)
	}
	path := filepath.Join(i.dir, "evergrant-provider-"+mode)
	if len(entriesLike(t, path)) == 0 {
		link(t, i.dir, filepath.Base(path))
	}
	i.mu.Lock()
	i.source = Source{Name: "plugin", Path: path, Package: pack}
	i.mu.Unlock()
	if err := h.Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func entriesLike(t *testing.T, path string) []string {
	t.Helper()
	list, err := filepath.Glob(path)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// age makes it long ago that the version in use took over.
func (i *installation) age(h *Host, by time.Duration) {
	h.mu.RLock()
	s := h.supervisors["plugin"]
	h.mu.RUnlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trial.since = s.trial.since.Add(-by)
}
