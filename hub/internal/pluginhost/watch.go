package pluginhost

import (
	"cmp"
	"context"
	"strings"
	"time"
)

// maxMisses is how many health checks in a row may fail.
const maxMisses = 3

// watch stays with an instance until its process is gone and frees what it held.
func (s *supervisor) watch(in *instance) {
	ctx, cancel := context.WithCancel(context.Background())
	s.host.work.Go(func() { s.checkHealth(ctx, in) })
	process := in.runner.process
	<-process.exited
	cancel()
	s.lost(in, endOf(process))
	<-process.finished
	s.explain(in)
	in.stop(0)
}

// explain adds a process's last words to what is known of its end.
func (s *supervisor) explain(in *instance) {
	words := in.runner.words()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lostLast != in || len(words) == 0 {
		return
	}
	s.lastError, s.lastWords = in.explained(s.lastError), words
}

// explained is why an instance was lost, with the most specific line of its output, once
// that is read; it may block shortly.
func (in *instance) explained(cause string) string {
	best := bestOf(in.runner.words())
	if best == "" {
		return cause
	}
	if ranOut(best) && in.runner.process.excess == "" {
		cause = "it used more memory than it may and was ended; a package can ask for more (memory_mib)"
	}
	return cause + "; it last wrote: " + best
}

// ranOut recognizes the out-of-memory messages of Go, Node.js and Python.
func ranOut(words string) bool {
	for _, sign := range []string{"out of memory", "cannot allocate memory", "MemoryError"} {
		if strings.Contains(words, sign) {
			return true
		}
	}
	return false
}

func endOf(p *process) string {
	return cmp.Or(p.excess, "its process ended ("+p.status+")")
}

// checkHealth checks the plugin's health periodically, and replaces it when it does not
// answer.
func (s *supervisor) checkHealth(ctx context.Context, in *instance) {
	ticker := time.NewTicker(s.host.opts.HealthEvery)
	defer ticker.Stop()
	for misses := 0; misses < maxMisses; {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		err := s.withHealthTimeout(ctx, in.healthy)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			misses = 0
		default:
			misses++
			s.log.Warn("plugin health check failed", "misses", misses, "error", err)
		}
	}
	s.giveUp(in, "it missed three health checks and was killed")
}

// check looks at an instance on which something went wrong. When it returns the
// instance is well, or it takes no more calls.
func (s *supervisor) check(ctx context.Context, in *instance) {
	answer := make(chan error, 1)
	go func() { answer <- s.withHealthTimeout(context.WithoutCancel(ctx), in.probe) }()
	process := in.runner.process
	var err error
	select {
	case <-process.exited:
	case err = <-answer:
		if err == nil || !process.waitExit(drainAfterExit) {
			break
		}
	}
	switch {
	case process.hasExited():
		s.lost(in, endOf(process))
	case err != nil:
		s.giveUp(in, err.Error()+"; it was killed")
	}
}

func (s *supervisor) withHealthTimeout(ctx context.Context, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.host.opts.HealthTimeout)
	defer cancel()
	return ask(ctx)
}

// giveUp kills an instance that is alive but of no use.
func (s *supervisor) giveUp(in *instance, cause string) {
	s.lost(in, cause)
	s.stop(in, 0)
}
