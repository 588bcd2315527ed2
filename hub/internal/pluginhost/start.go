package pluginhost

import (
	"context"
	"math/rand/v2"
	"time"
)

// start is a start in progress; all callers wait for the same one.
type start struct {
	done chan struct{}
	err  error // set before done is closed
}

// ready returns the running instance with one more call counted on it. Without one it
// starts the plugin, or joins the start in progress.
func (s *supervisor) ready(ctx context.Context) (*instance, error) {
	ready := time.NewTimer(s.host.opts.ReadyTimeout)
	defer ready.Stop()
	for {
		in, under, err := s.currentOrStart()
		if in != nil || err != nil {
			return in, err
		}
		select {
		case <-under.done:
			if under.err != nil {
				return nil, s.unavailable()
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-ready.C:
			return nil, &UnavailableError{RetryAfter: time.Second, Reason: "it is still starting"}
		}
	}
}

func (s *supervisor) currentOrStart() (*instance, *start, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current != nil && !s.closed {
		s.current.calls.Add(1)
		return s.current, nil, nil
	}
	if s.starting == nil {
		if wait, never := s.restarts.wait(time.Now()); s.closed || wait > 0 || never {
			return nil, nil, s.unavailableLocked()
		}
		s.starting = &start{done: make(chan struct{})}
		s.host.work.Go(s.start)
	}
	return nil, s.starting, nil
}

func (s *supervisor) unavailable() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.unavailableLocked()
}

func (s *supervisor) unavailableLocked() error {
	if s.closed || s.host.life.Err() != nil {
		return &UnavailableError{RetryAfter: time.Second, Reason: "the hub stops it"}
	}
	wait, never := s.restarts.wait(time.Now())
	if never {
		return &UnavailableError{Reason: s.lastError}
	}
	// A failure that allows the next start at once still requires a short wait.
	return &UnavailableError{RetryAfter: max(wait, 100*time.Millisecond), Reason: s.lastError}
}

// start runs one start to its end, independent of the callers that wait for it.
func (s *supervisor) start() {
	ctx := context.Background()
	in, err := s.launch(ctx)
	if err == nil {
		s.mu.Lock()
		if s.content.sum != in.sum {
			s.log.Info("plugin file changed, describing it again", "sum", in.sum)
		}
		s.mu.Unlock()
		s.adopt(ctx, in.content())
	} else {
		s.startFailed(err)
	}
	s.mu.Lock()
	under := s.starting
	s.starting, under.err = nil, err
	switch {
	case in == nil:
	case s.closed, s.current != nil: // a scan was faster
		s.host.work.Go(func() { in.stop(0) })
	default:
		s.publish(in)
	}
	s.mu.Unlock()
	close(under.done)
}

// launch starts a process; it is cancelled when ctx ends or the host stops.
func (s *supervisor) launch(ctx context.Context) (*instance, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.host.life, cancel)()
	return s.host.launch(ctx, s.wanted(), s.output)
}

// startFailed notes a start that failed and decides when the next one may be.
func (s *supervisor) startFailed(err error) {
	if s.host.life.Err() != nil {
		return // cancelled by the host
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastError, s.lastWords, s.lostLast = err.Error(), wordsOf(err), nil
	if s.current != nil {
		s.log.Error("new plugin file failed to start, the running process stays", "error", err)
		return
	}
	s.fell = true
	s.restarts.defect = isDefect(err)
	s.restarts.failed(time.Now(), 0, jitter())
	s.logFailure("plugin failed to start")
	cause := s.lastError
	s.struck(time.Now(), func() string { return cause })
}

// lost removes an instance that exited or was abandoned, if it is the current one.
func (s *supervisor) lost(in *instance, cause string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current != in {
		return
	}
	s.current = nil
	s.fell = true
	s.lastError, s.lastWords, s.lostLast = cause, nil, in
	if p := in.runner.process; p.hasExited() && p.killed {
		s.restarts.killed(time.Now(), time.Since(in.readyAt), jitter())
		s.logFailure("plugin killed")
		return
	}
	s.restarts.failed(time.Now(), time.Since(in.readyAt), jitter())
	s.logFailure("plugin exited")
	s.struck(time.Now(), func() string { return in.explained(cause) })
}

// logFailure reports a failure with what follows from it. The caller holds mu.
func (s *supervisor) logFailure(what string) {
	wait, never := s.restarts.wait(time.Now())
	switch {
	case never:
		s.log.Error(what+", not restarted; fix it and rescan", "error", s.lastError)
	case s.restarts.spent:
		s.log.Error(what+" too often, retrying at long intervals", "error", s.lastError, "next_try_in", wait)
	default:
		s.log.Warn(what, "error", s.lastError, "next_try_in", wait.Round(time.Millisecond))
	}
}

// jitter spreads the restarts of plugins that failed together.
func jitter() float64 {
	return rand.Float64() //nolint:gosec // it need not be unpredictable
}
