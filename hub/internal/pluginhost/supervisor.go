package pluginhost

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/sandbox"
	"github.com/evergrant/evergrant/sdk/provider"
)

// supervisor keeps one plugin: one executable with at most one process that
// takes calls. Other processes of it may still be finishing theirs.
type supervisor struct {
	host   *Host
	name   string
	log    hclog.Logger
	output *output

	// slots holds one entry for each call in flight; waiting counts those that
	// wait for one.
	slots   chan struct{}
	waiting atomic.Int32
	// idle fires after Options.IdleAfter without a call.
	idle *time.Timer

	mu      sync.Mutex
	content content
	// tried is the sum of the program that examine last looked at.
	tried string
	trial trial
	// conflict is why its providers are not served although it may be healthy.
	conflict  string
	current   *instance
	starting  *start
	restarts  restarts
	fell      bool // the next start is a restart
	restarted int
	lastError string
	// lastWords are what the process of lastError last wrote, lostLast its instance if it
	// had been ready.
	lastWords []LogLine
	lostLast  *instance
	leaving   int // processes that are finishing
	closed    bool
	// layers are the walls around its last process.
	layers []sandbox.Layer
}

func newSupervisor(h *Host, source Source) *supervisor {
	log := h.log.With("plugin", source.Name)
	s := &supervisor{
		host: h, name: source.Name, log: log, output: newOutput(log), content: content{source: source},
		slots: make(chan struct{}, maxInFlight),
	}
	s.idle = time.AfterFunc(h.opts.IdleAfter, s.stopIdle)
	return s
}

// wanted is what a new process is started from.
func (s *supervisor) wanted() Source {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.content.source
}

// adopt sets what a plugin serves and updates the host and the cache.
func (s *supervisor) adopt(ctx context.Context, c content) {
	s.mu.Lock()
	same := s.content.sum == c.sum && s.content.version == c.version && sameDescriptions(s.content.descriptions, c.descriptions) && slices.Equal(s.content.uses, c.uses)
	s.content = c
	s.mu.Unlock()
	if same {
		return
	}
	s.host.index()
	if cache := s.host.opts.Cache; cache != nil && len(c.problems) == 0 { // else they would not be told after a start
		if err := cache.SavePlugin(ctx, c.sum, s.name, Described{Version: c.version, Descriptions: c.descriptions, Uses: c.uses}); err != nil {
			s.log.Warn("cache plugin description failed", "error", err)
		}
	}
}

// sameDescriptions compares as a cache would keep them.
func sameDescriptions(a, b []provider.Description) bool {
	first, err := json.Marshal(a)
	if err != nil {
		return false
	}
	second, err := json.Marshal(b)
	return err == nil && bytes.Equal(first, second)
}

// publish makes an instance the one that takes calls. The caller holds mu.
func (s *supervisor) publish(in *instance) {
	s.current = in
	s.layers = in.runner.layers
	s.restarts.ready()
	if s.fell {
		s.fell = false
		s.restarted++
	}
	in.watchdog.lost = func() { s.check(context.Background(), in) }
	in.watchdog.hopeless = func() { s.giveUp(in, "it says to be well, but none of its operations answers; it was killed") }
	s.idle.Reset(s.host.opts.IdleAfter)
	s.host.work.Go(func() { s.watch(in) })
	s.log.Debug("plugin ready", "pid", in.runner.process.pid, "version", in.info.Version)
}

// replaceWith puts another instance, or none, in the place of the current one,
// which finishes its calls and ends.
func (s *supervisor) replaceWith(in *instance) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		if in != nil {
			s.host.work.Go(func() { in.stop(0) })
		}
		return
	}
	old := s.current
	s.current = nil
	if in != nil {
		s.publish(in)
	}
	if old != nil {
		s.leave(context.Background(), old)
	}
}

// leave has an instance that is no longer current finish and end, in the
// background. The caller holds mu.
func (s *supervisor) leave(ctx context.Context, in *instance) {
	s.leaving++
	s.host.work.Go(func() {
		s.finish(ctx, in)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.leaving--
	})
}

// finish drains and stops an instance. When ctx ends it is killed at once.
func (s *supervisor) finish(ctx context.Context, in *instance) {
	draining, cancel := context.WithTimeout(ctx, s.host.opts.DrainTimeout)
	defer cancel()
	in.drain(draining)
	grace := s.host.opts.StopGrace
	if ctx.Err() != nil {
		grace = 0
	}
	s.stop(in, grace)
}

// stop ends an instance and reports one that cannot be killed.
func (s *supervisor) stop(in *instance, grace time.Duration) {
	if !in.stop(grace) {
		s.log.Error("kill plugin process failed, process abandoned", "pid", in.runner.process.pid)
	}
}

// stopIdle ends a process without calls.
func (s *supervisor) stopIdle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.current == nil || len(s.slots) > 0 {
		return
	}
	s.log.Debug("idle plugin stopped")
	old := s.current
	s.current = nil
	s.leave(context.Background(), old)
}

// close ends the plugin permanently: no call begins any more, those in flight finish
// while ctx lasts, and the process has exited when it returns.
func (s *supervisor) close(ctx context.Context) {
	s.mu.Lock()
	s.closed = true
	in := s.current
	s.current = nil
	if in != nil {
		s.leaving++
	}
	s.mu.Unlock()
	s.idle.Stop()
	if in != nil {
		s.finish(ctx, in)
	}
	s.output.flush()
}

// status is what Plugins shows.
func (s *supervisor) status() PluginStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := PluginStatus{
		Name: s.name, Path: s.content.source.Path, Sum: s.content.program, Version: s.content.version, State: s.state(time.Now()),
		Package: s.content.source.packageSum(), Restarts: s.restarted, LastError: s.lastError, LastWords: s.lastWords, InFlight: len(s.slots), Log: s.output.lines(),
		Sandbox: s.host.confine.mode, Layers: s.layers, Refused: s.trial.refused,
		Documents: len(s.content.source.Documents.list), Problems: s.content.problems,
		Deprecated: concerning(s.host.opts.Deprecations, s.content.uses),
	}
	for _, d := range s.content.descriptions {
		st.Providers = append(st.Providers, d.Name)
		for _, h := range d.Hosts {
			st.Hosts = append(st.Hosts, h.Pattern)
		}
	}
	if s.conflict != "" {
		st.LastError, st.LastWords = s.conflict, nil
	}
	if s.current != nil {
		st.PID, st.StartedAt = s.current.runner.process.pid, s.current.startedAt
		st.Memory = memoryOf(st.PID)
	}
	return st
}

// state is derived from the other fields. The caller holds mu.
func (s *supervisor) state(now time.Time) State {
	wait, never := s.restarts.wait(now)
	switch {
	case s.conflict != "":
		return StateFailed
	case s.closed:
		return StateStopping
	case s.current != nil:
		return StateReady
	case s.starting != nil:
		return StateStarting
	case never, s.restarts.spent, len(s.content.descriptions) == 0 && s.lastError != "":
		return StateFailed
	case wait > 0:
		return StateBackoff
	case s.leaving > 0:
		return StateStopping
	default:
		return StateIdle
	}
}
