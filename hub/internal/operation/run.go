package operation

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"

	"github.com/evergrant/evergrant/hub/internal/exchange"
	"github.com/evergrant/evergrant/hub/internal/pluginhost"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/tracing"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// do is what an operation does on the plugin's client.
type do func(context.Context, *providerplugin.Client, providerplugin.Relay, provider.Call) error

// runs bounds how often an operation is run when its plugin exits. A run after a new
// reply is not counted: there are no more of those than steps.
const runs = 3

// run runs an operation to its end: until the service has answered, or until the plugin
// has failed too often with the known replies.
func (r *Runner) run(ctx context.Context, name string, op *Op, do do) (out Outcome, err error) {
	ctx, span := tracing.Start(ctx, name, attribute.String("evergrant.provider", op.Service.Provider), attribute.String("evergrant.service", op.Service.Name))
	defer func() { tracing.End(span, outcome(err)) }()
	ctx = pluginhost.WithOperation(ctx, name)
	if err := r.halted(ctx); err != nil {
		return Outcome{}, provider.Errorf(provider.Blocked, CodeHalted, "%w", err)
	}
	if held := op.Service.HeldHosts; len(held) > 0 {
		return Outcome{}, provider.Errorf(provider.Blocked, CodeHeld,
			"the service's plugin names new hosts (%s); nothing is sent until an owner of the hub agrees to them on the page of services", strings.Join(service.HostNames(held), ", "))
	}
	c, err := r.relayFor(op)
	if err != nil {
		return Outcome{}, err
	}
	if op.Journaled {
		if err := r.journal.Begin(op.ID, op.Meta); err != nil {
			return Outcome{}, provider.Errorf(provider.Transient, "journal", "the hub cannot journal replies, so nothing was sent: %w", err)
		}
	}
	out.StartedAt = op.Now
	confirmed := false
	for n := 1; ; n++ {
		var overTime bool
		overTime, err = r.runOnce(ctx, op, c, do)
		_, isService := errors.AsType[*provider.Error](err)
		out.PluginFailed = err != nil && (!isService || overTime)
		if ended := c.await(); ended != nil && ended.Err != nil {
			err = ended.Err
			break
		} else if ended != nil && err != nil && ctx.Err() == nil {
			n-- // a reply came that the plugin did not wait for
			continue
		}
		if again, once := r.again(ctx, op, c, err, n); again && (!once || !confirmed) {
			confirmed = confirmed || once
			continue
		}
		break
	}
	c.describe(&out)
	return out, c.withPrivate(r.classify(op, err))
}

// again decides whether an operation is run once more after an error, without a new
// reply: because the plugin exited, or, once, because a timeout of its own may have
// discarded what the service has granted.
func (r *Runner) again(ctx context.Context, op *Op, c *relay, err error, n int) (again, once bool) {
	if failure, ok := errors.AsType[*providerplugin.PluginError](err); ok && failure.Gone {
		if n == runs || ctx.Err() != nil {
			return false, false
		}
		tracing.Log(ctx, r.log).Warn("plugin exited during an operation, replaying it from the journal", "provider", op.Service.Provider, "operation", op.ID, "run", n)
		return true, false
	}
	if failure, ok := errors.AsType[*provider.Error](err); ok && op.Spends {
		passes := failure.Kind == provider.Transient || failure.Kind == provider.Internal
		return passes && c.granted(), true
	}
	return false, false
}

// granted reports whether the last reply is a success.
func (c *relay) granted() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	last, ok := c.replies[len(c.replies)-1]
	return ok && last.succeeded()
}

// errOverTime is the end of a run that took the plugin too long.
var errOverTime = errors.New("the plugin took too long")

// runOnce runs an operation on the plugin, as long as WorkTimeout allows without the
// time of its exchanges.
func (r *Runner) runOnce(ctx context.Context, op *Op, c *relay, do do) (overTime bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var over atomic.Bool
	work := exchange.NewBudget(r.workTimeout, func() {
		over.Store(true)
		cancel(errOverTime)
	})
	defer work.Stop()
	begun := false
	call := provider.Call{Service: c.to.Service, Connection: op.Connection, Now: op.Now}
	err = r.host.Run(pluginhost.WithSecrets(ctx, secretsOf(op.Service)...), op.Service.Provider, func(ctx context.Context, client *providerplugin.Client) error {
		begun = true
		return do(ctx, client, timed{c, work}, call)
	})
	if over.Load() && err != nil && begun {
		if _, isPlugin := errors.AsType[*providerplugin.PluginError](err); !isPlugin {
			err = &providerplugin.PluginError{Message: fmt.Sprintf("it took more than %s for its own work", r.workTimeout)}
		}
	}
	return over.Load(), err
}

// timed is a relay whose waits are not the plugin's time.
type timed struct {
	*relay
	work *exchange.Budget
}

// RoundTrip implements providerplugin.Relay.
func (t timed) RoundTrip(ctx context.Context, step int, req *providerplugin.HTTPRequest) (*providerplugin.HTTPResponse, error) {
	t.work.Pause()
	defer t.work.Resume()
	reply, err := t.relay.RoundTrip(ctx, step, req)
	if err == nil {
		pluginhost.Hide(ctx, secretsIn(reply)...)
	}
	return reply, err
}
