package pluginhost

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/sdk/provider"
)

// Host runs plugins. It is safe for concurrent use.
type Host struct {
	opts       Options
	log        hclog.Logger
	runtimeDir *runtimeDir
	confine    *confinement
	// life ends when Stop begins; starts in progress are cancelled then.
	life context.Context
	end  context.CancelFunc
	// work are the goroutines of the host.
	work sync.WaitGroup
	// scanning is held by the one scan that runs.
	scanning sync.Mutex

	mu          sync.RWMutex
	supervisors map[string]*supervisor // by the plugin's name; bounded by what is installed
	providers   map[string]served      // by the provider's name; bounded as supervisors
}

// served is a provider and the plugin that serves it.
type served struct {
	supervisor  *supervisor
	description provider.Description
	sum         string
}

// New returns a host without plugins until Scan. It creates the runtime folder, removes
// the leftovers of a killed hub, and locks it until Stop. Errors: the folder's path is
// too long, it cannot be created, or another hub uses it.
func New(opts Options) (*Host, error) {
	opts = opts.withDefaults()
	// Plugins run in a folder of their own, where a relative path means another file.
	dir, err := filepath.Abs(opts.Dir)
	if err != nil {
		return nil, fmt.Errorf("open the folder of plugins: %w", err)
	}
	opts.Dir = dir
	if info, err := os.Stat(opts.Dir); err != nil {
		return nil, fmt.Errorf("open the folder of plugins: %w", err)
	} else if !info.IsDir() {
		return nil, fmt.Errorf("open the folder of plugins: %s is not a folder", opts.Dir)
	}
	h := &Host{opts: opts, log: opts.Logger, supervisors: map[string]*supervisor{}, providers: map[string]served{}}
	if h.confine, err = newConfinement(opts.Sandbox, uint64(opts.Disk)); err != nil {
		return nil, err
	}
	if h.runtimeDir, err = openRuntimeDir(opts.RuntimeDir); err != nil {
		return nil, err
	}
	h.life, h.end = context.WithCancel(context.Background())
	return h, nil
}

// Descriptions returns what the plugins serve, sorted by name.
func (h *Host) Descriptions() []provider.Description {
	h.mu.RLock()
	defer h.mu.RUnlock()
	descriptions := make([]provider.Description, 0, len(h.providers))
	for _, name := range slices.Sorted(maps.Keys(h.providers)) {
		descriptions = append(descriptions, h.providers[name].description)
	}
	return descriptions
}

// Description returns a provider's description and the SHA-256 of the
// executable that gave it, in lower-case hex; with its document, where it has one of the hub.
func (h *Host) Description(name string) (d provider.Description, sum string, ok bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	p, ok := h.providers[name]
	return p.description, p.sum, ok
}

// Version is what the plugin that serves a provider says to be; "" if there is none.
func (h *Host) Version(providerName string) string {
	s := h.supervisorOf(providerName)
	if s == nil {
		return ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.content.versionOf(providerName)
}

// Installed reports whether a provider comes from an installed package, not from
// a file in the folder.
func (h *Host) Installed(providerName string) bool {
	s := h.supervisorOf(providerName)
	return s != nil && s.wanted().Package != nil
}

// Unexamined reports whether a plugin could not be described for a temporary reason: an
// unknown plugin is not called, so a scan has to retry it.
func (h *Host) Unexamined() bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	for _, s := range h.supervisors {
		if s.unexamined(time.Now()) {
			return true
		}
	}
	return false
}

func (s *supervisor) unexamined(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	wait, never := s.restarts.wait(now)
	return len(s.content.descriptions) == 0 && s.lastError != "" && !never && wait == 0 && s.starting == nil
}

// Plugins returns the status of every plugin of the folder, sorted by name.
func (h *Host) Plugins() []PluginStatus {
	h.mu.RLock()
	all := slices.Collect(maps.Values(h.supervisors))
	h.mu.RUnlock()
	statuses := make([]PluginStatus, 0, len(all))
	for _, s := range all {
		statuses = append(statuses, s.status())
	}
	slices.SortFunc(statuses, func(a, b PluginStatus) int { return strings.Compare(a.Name, b.Name) })
	return statuses
}

// Stop ends all plugins at once. Calls in flight may finish for Options.DrainTimeout,
// less if ctx ends; then processes are asked to exit, and killed soon after. It is
// bounded whatever plugins do. Nothing can be run afterwards.
func (h *Host) Stop(ctx context.Context) {
	h.end() // before the lock: it ends a scan in progress
	h.scanning.Lock()
	defer h.scanning.Unlock()
	h.mu.RLock()
	all := slices.Collect(maps.Values(h.supervisors))
	h.mu.RUnlock()
	var closing sync.WaitGroup
	for _, s := range all {
		closing.Go(func() { s.close(ctx) })
	}
	closing.Wait()
	h.awaitWork()
	h.runtimeDir.release()
}

// awaitWork waits for the host's goroutines; one that waits for a process that
// cannot be killed is left behind.
func (h *Host) awaitWork() {
	done := make(chan struct{})
	go func() {
		h.work.Wait()
		close(done)
	}()
	timer := time.NewTimer(h.opts.StopGrace + 2*killWait)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
		h.log.Error("stop plugins timed out, processes abandoned")
	}
}

func (h *Host) supervisorOf(providerName string) *supervisor {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.providers[providerName].supervisor
}

// index rebuilds the list of providers. Of two plugins with one provider the
// first by name wins, and nothing of the other is served. Plugins that are made of
// documents come last, and leave out what another one serves: a plugin takes the place of
// a definition, never the other way round.
func (h *Host) index() {
	h.mu.Lock()
	defer h.mu.Unlock()
	providers := make(map[string]served)
	var ofDocuments []*supervisor
	for _, name := range slices.Sorted(maps.Keys(h.supervisors)) {
		if s := h.supervisors[name]; s.madeOfDocuments() {
			ofDocuments = append(ofDocuments, s)
		} else {
			s.serve(providers)
		}
	}
	for _, s := range ofDocuments {
		s.serveRest(providers)
	}
	h.providers = providers
}

// serve adds what the plugin serves, unless some of it is taken.
func (s *supervisor) serve(providers map[string]served) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.conflict
	s.conflict = ""
	for _, d := range s.content.descriptions {
		if other, taken := providers[d.Name]; taken {
			s.conflict = fmt.Sprintf("its provider %s is served by the plugin %s already; remove one of the two", d.Name, other.supervisor.name)
		}
	}
	if s.conflict != "" {
		if s.conflict != before {
			s.log.Error("plugin disabled", "error", s.conflict)
		}
		return
	}
	for _, d := range s.content.descriptions {
		providers[d.Name] = served{supervisor: s, description: d, sum: s.content.sumOf(d.Name)}
	}
}
