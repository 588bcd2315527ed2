package pluginhost

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

type (
	operationKey struct{}
	callKey      struct{}
)

// WithOperation names what the calls of Run within ctx ask of a plugin, such as
// "refresh". A new version that fails at every call of one name is taken back.
func WithOperation(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, operationKey{}, name)
}

func operationOf(ctx context.Context) string {
	name, _ := ctx.Value(operationKey{}).(string)
	return name
}

// call is one call of Run.
type call struct {
	operation string
	instance  *instance
	// silent is set if the plugin did not answer in its time.
	silent atomic.Bool
}

// judge notes how a call went while a new version is on trial. Three calls of one
// operation within ten minutes in which the plugin died, failed or was silent, and none
// in between that it brought to an end, are too much for it. A service's refusal is an
// end.
func (s *supervisor) judge(ctx context.Context, c *call, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if s.closed || c.instance.source.id() != s.content.source.id() || !s.onTrial(now, callProbation) {
		return
	}
	failed, worked := c.outcome(ctx, err)
	switch {
	case worked:
		delete(s.trial.broken, c.operation)
	case failed:
		if s.trial.broken == nil {
			s.trial.broken = map[string][]time.Time{}
		}
		late := slices.DeleteFunc(s.trial.broken[c.operation], func(t time.Time) bool { return now.Sub(t) > probation })
		s.trial.broken[c.operation] = append(late, now)
		if len(late)+1 >= maxStrikes {
			s.goBack(func() string { return c.reason(err) })
		}
	}
}

// outcome distinguishes a failure of the plugin from a success; a call that was
// cancelled, or that no plugin serves, counts as neither.
func (c *call) outcome(ctx context.Context, err error) (failed, worked bool) {
	failure, isPlugin := errors.AsType[*providerplugin.PluginError](err)
	if isPlugin {
		return !failure.NotServed, false
	}
	if c.silent.Load() {
		return true, false
	}
	_, isProvider := errors.AsType[*provider.Error](err)
	return false, err == nil || isProvider && ctx.Err() == nil
}

// reason is why a version was rolled back.
func (c *call) reason(err error) string {
	what := c.operation
	if what == "" {
		what = "an operation"
	}
	said := err.Error()
	if process := c.instance.runner.process; process.hasExited() {
		said = endOf(process)
	}
	return c.instance.explained(fmt.Sprintf("%s failed %d times within ten minutes and never worked in between: %s", what, maxStrikes, said))
}
