package pluginhost

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// Run calls do with the client of the plugin that serves a provider. It starts
// the plugin if it does not run, and waits for it as long as ctx and
// Options.ReadyTimeout allow. At most 64 calls of a plugin run at a time; more
// wait for their turn as long as ctx lasts.
//
// It returns ErrUnknownProvider or an *UnavailableError if do was not called,
// ctx's error if it ended while waiting, else what do returned. Do is called
// once. If it returns a *providerplugin.PluginError that is Gone, the process is
// looked at, and replaced if it is dead or sick, before Run returns: calling Run
// again then meets a new one.
func (h *Host) Run(ctx context.Context, providerName string, do func(ctx context.Context, c *providerplugin.Client) error) error {
	s := h.supervisorOf(providerName)
	if s == nil {
		return fmt.Errorf("%w: %q", ErrUnknownProvider, providerName)
	}
	in, err := s.acquire(ctx)
	if err != nil {
		return err
	}
	defer s.release(in)
	if h.supervisorOf(providerName) != s { // its file changed and serves something else now
		return fmt.Errorf("%w any more: %q", ErrUnknownProvider, providerName)
	}
	s.output.hideSecretsOf(ctx)
	c := &call{operation: operationOf(ctx), instance: in}
	err = do(context.WithValue(ctx, callKey{}, c), in.operations)
	if failure, ok := errors.AsType[*providerplugin.PluginError](err); ok && failure.Gone {
		s.check(ctx, in)
	}
	err = withoutSecretsOf(ctx, err)
	s.judge(ctx, c, err)
	return err
}

// acquire waits for a turn and for a running instance.
func (s *supervisor) acquire(ctx context.Context) (*instance, error) {
	if err := s.takeSlot(ctx); err != nil {
		return nil, err
	}
	in, err := s.ready(ctx)
	if err != nil {
		s.freeSlot()
		return nil, err
	}
	return in, nil
}

func (s *supervisor) takeSlot(ctx context.Context) error {
	select {
	case s.slots <- struct{}{}:
		return nil
	default:
	}
	defer s.waiting.Add(-1)
	if s.waiting.Add(1) > maxQueue {
		return &UnavailableError{RetryAfter: time.Second, Reason: "too many calls wait for it"}
	}
	select {
	case s.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *supervisor) release(in *instance) {
	in.calls.Done()
	s.freeSlot()
}

// freeSlot ends a call; after the last one the time of idleness begins.
func (s *supervisor) freeSlot() {
	<-s.slots
	if len(s.slots) == 0 {
		s.idle.Reset(s.host.opts.IdleAfter)
	}
}
