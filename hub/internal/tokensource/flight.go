package tokensource

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/tracing"
	"github.com/evergrant/evergrant/sdk/provider"
)

// flight is a renewal that callers of one connection share.
type flight struct {
	done chan struct{}
	c    connection.Connection
	err  error
	// slow is closed when the service takes long to answer: a caller that has to free its
	// worker stops waiting then.
	slow     chan struct{}
	slowOnce sync.Once
	// abandoned is set once an earlier renewal without a known outcome was abandoned, and
	// secondSecret once the other client secret was tried. Only the renewal itself uses
	// them.
	abandoned, secondSecret bool
	// paused is set if the connection is renewed although it is paused.
	paused bool
}

func (f *flight) markSlow() { f.slowOnce.Do(func() { close(f.slow) }) }

// renewal is what a flight does.
type renewal func(ctx context.Context, f *flight) (connection.Connection, error)

// join waits for the renewal of a connection that is in flight, or starts do. do outlives
// the caller: its context ends with the hub, and has the request ID and span of the
// caller who started it.
func (s *Source) join(ctx context.Context, id string, do renewal) (connection.Connection, error) {
	begun := time.Now()
	f, joined := s.flightOf(ctx, id, do)
	if joined {
		defer func() { s.waited(time.Since(begun), false) }()
	}
	select {
	case <-f.done:
		return f.c, f.err
	case <-ctx.Done():
		return connection.Connection{}, ctx.Err()
	}
}

// launch is join for a caller that goes away when the service takes long.
func (s *Source) launch(ctx context.Context, c connection.Connection, do renewal) (connection.Connection, error) {
	f, _ := s.flightOf(ctx, c.ID, do)
	select {
	case <-f.done:
		return f.c, f.err
	case <-f.slow:
		return c, nil
	case <-ctx.Done():
		return c, ctx.Err()
	}
}

// flightOf returns the flight of a connection; joined is set if it was in flight already.
func (s *Source) flightOf(ctx context.Context, id string, do renewal) (f *flight, joined bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f, joined = s.flights[id]; joined {
		return f, true
	}
	f = &flight{done: make(chan struct{}), slow: make(chan struct{})}
	s.flights[id] = f
	s.work.Go(func() {
		defer func() {
			s.mu.Lock()
			delete(s.flights, id)
			s.mu.Unlock()
			close(f.done)
		}()
		f.c, f.err = s.guarded(tracing.Onto(s.life, ctx), id, f, do)
	})
	return f, false
}

// flying reports whether a renewal of a connection is in flight in this hub.
func (s *Source) flying(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.flights[id]
	return ok
}

// allFlying returns the ids of the connections whose renewals are in flight in this hub.
func (s *Source) allFlying() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.flights))
}

// CodePanic is the code of a failure that is a defect of the hub itself.
const CodePanic = "hub_panic"

// guarded runs a renewal. A panic ends neither this process nor, when they retry, the
// other replicas: the connection is suspended, retried at long intervals, and the
// operator is notified. Its intent records what was sent.
func (s *Source) guarded(ctx context.Context, id string, f *flight, do renewal) (c connection.Connection, err error) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		// The value may quote a reply, so only its type is logged.
		tracing.Log(ctx, s.log).Error("renewal panicked, connection suspended", "connection", id, "panic", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
		c, err = s.setAside(ctx, id)
	}()
	if err := s.attached(ctx, id); err != nil {
		return c, err
	}
	return do(ctx, f)
}

// attached fails if the database is a detached copy: nothing is renewed then.
func (s *Source) attached(ctx context.Context, id string) error {
	err := s.store.Detached(ctx)
	if err == nil {
		return nil
	}
	s.freeLease(id)
	detached, ok := errors.AsType[*store.DetachedError](err)
	if !ok {
		return err
	}
	c, err := s.store.Grants.Connection(ctx, id)
	if err != nil {
		return err
	}
	return &RefusedError{Connection: c, Kind: provider.Blocked, Detached: true, Message: detached.Error()}
}

// setAside saves that the renewal of a connection cannot be made by this hub as it is.
func (s *Source) setAside(ctx context.Context, id string) (connection.Connection, error) {
	defer s.freeLease(id)
	c, err := s.store.Grants.Connection(ctx, id)
	if err != nil {
		return c, err
	}
	failed := c.Failed(s.Now(), c.Generation, provider.Errorf(provider.Blocked, CodePanic,
		"the hub itself failed in this renewal; its log has the details, please report it"))
	failed.Cause = connection.CauseOf(failed, "", "").String()
	return failed, s.store.Renewals.SaveFailure(ctx, failed, c.Generation, "", s.Owner())
}
