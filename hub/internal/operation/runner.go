package operation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/go-hclog"
	"go.opentelemetry.io/otel/attribute"

	"github.com/evergrant/evergrant/hub/internal/egress"
	"github.com/evergrant/evergrant/hub/internal/endpoint"
	"github.com/evergrant/evergrant/hub/internal/journal"
	"github.com/evergrant/evergrant/hub/internal/pluginhost"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/trail"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// Plugins runs what an operation does on the plugin that serves a provider:
// pluginhost.Host, and in tests providers in this process.
type Plugins interface {
	// Run is as pluginhost.Host.Run.
	Run(ctx context.Context, providerName string, do func(ctx context.Context, c *providerplugin.Client) error) error
	// Description is as pluginhost.Host.Description.
	Description(name string) (d provider.Description, sum string, ok bool)
}

// Runner runs operations. It is safe for concurrent use.
type Runner struct {
	host    Plugins
	sender  *egress.Sender
	journal *journal.Journal
	gate    *endpoint.Gate
	log     hclog.Logger
}

// NewRunner ties the parts.
func NewRunner(host Plugins, sender *egress.Sender, j *journal.Journal, gate *endpoint.Gate, log hclog.Logger) *Runner {
	return &Runner{host: host, sender: sender, journal: j, gate: gate, log: log}
}

// Op is one operation of a provider for a service.
type Op struct {
	// ID names it in the journal. Required if Journaled.
	ID      string
	Service service.Service
	// Now is the provider's clock; keep it when the operation is run again.
	Now time.Time
	// Journaled makes replies durable; the caller calls Done when the outcome is
	// saved.
	Journaled bool
	// Meta is kept beside the replies.
	Meta []byte
	// Kept are the replies of an earlier run, as Outcome.Replies returned them.
	Kept map[int][]byte
	// Sent is told how each request that was really sent ended, for a caller that
	// has entered the gate. Nil: the gate is told that the request was observed.
	Sent func(endpoint.Key, endpoint.Outcome)
	// Sending is told that a request is about to be sent; nil is nobody.
	Sending func()
}

// Outcome says what is known of an operation apart from its result.
type Outcome struct {
	// Sent is set if a request may have reached the service.
	Sent bool
	// Answered is set if every request that was sent got a reply.
	Answered bool
	// PluginFailed is set if there is an error that is not the service's: the
	// plugin died, failed, was too slow, could not be started or is not there. What
	// was answered still has to be read.
	PluginFailed bool
	// Replies are what the service answered, by step. They hold secrets.
	Replies map[int][]byte
	// StartedAt is when the first request was about to be sent.
	StartedAt time.Time
}

// CodePluginFailed is the code of an error of a plugin that runs: it was asked and
// could not answer.
const CodePluginFailed = "plugin_failed"

// runs bounds how often an operation is run when its plugin dies.
const runs = 3

// run runs do until it ends in anything else than the death of the plugin.
func (r *Runner) run(ctx context.Context, name string, op *Op, do func(context.Context, *providerplugin.Client, providerplugin.Carrier, provider.Call) error) (out Outcome, err error) {
	ctx, span := trail.Start(ctx, name, attribute.String("evergrant.provider", op.Service.Provider), attribute.String("evergrant.service", op.Service.Name))
	defer func() { trail.End(span, word(err)) }()
	c, err := r.carrierFor(op)
	if err != nil {
		return Outcome{}, err
	}
	if op.Journaled {
		if err := r.journal.Begin(op.ID, op.Meta); err != nil {
			return Outcome{}, provider.Errorf(provider.Transient, "journal", "the hub cannot journal replies, so nothing was sent: %w", err)
		}
	}
	call := provider.Call{Service: c.to.Service, Now: op.Now}
	out.StartedAt = op.Now
	for n := 1; ; n++ {
		err = r.host.Run(ctx, op.Service.Provider, func(ctx context.Context, client *providerplugin.Client) error {
			return do(ctx, client, c, call)
		})
		failure, isPlugin := errors.AsType[*providerplugin.PluginError](err)
		_, isService := errors.AsType[*provider.Error](err)
		out.PluginFailed = err != nil && (!isService || outOfTime(ctx))
		if !isPlugin || !failure.Gone || n == runs || ctx.Err() != nil {
			break
		}
		trail.Log(ctx, r.log).Warn("the plugin died in an operation; it is run again from the journal", "provider", op.Service.Provider, "operation", op.ID, "run", n)
	}
	c.describe(&out)
	return out, c.withPrivate(r.meaning(op, err))
}

// lastMoment is how long before the deadline an error may be about the deadline:
// the plugin has it too, by a clock of its own.
const lastMoment = 100 * time.Millisecond

// outOfTime reports whether an error may only say that the time was over. What
// the service has answered may hold the only live tokens, so it must not count as
// the service's word.
func outOfTime(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ctx.Err() != nil || (ok && time.Until(deadline) < lastMoment)
}

func (r *Runner) carrierFor(op *Op) (*carrier, error) {
	c := &carrier{runner: r, op: op, replies: map[int]reply{}}
	c.to = egress.Target{Service: op.Service.ForProvider(), Provider: op.Service.Provider, PrivateHosts: op.Service.PrivateHosts}
	if op.Service.Description != nil {
		c.to.Hosts = op.Service.Description.Hosts
	} else if d, _, ok := r.host.Description(op.Service.Provider); ok {
		c.to.Hosts = d.Hosts
	}
	for step, data := range op.Kept {
		kept, err := decodeReply(data)
		if err != nil {
			return nil, err
		}
		c.replies[step] = kept
		c.sent = c.sent || kept.Status != 0 || kept.Written
	}
	return c, nil
}

func (c *carrier) describe(out *Outcome) {
	c.mu.Lock()
	defer c.mu.Unlock()
	out.Sent, out.Answered, out.Replies = c.sent, true, make(map[int][]byte, len(c.replies))
	for step, kept := range c.replies {
		if kept.Status == 0 && kept.Written {
			out.Answered = false
		}
		if data, err := json.Marshal(kept); err == nil {
			out.Replies[step] = data
		}
	}
}

// meaning makes every failure a *provider.Error.
func (r *Runner) meaning(op *Op, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*provider.Error](err); ok {
		return err
	}
	name := op.Service.Provider
	if unavailable, ok := errors.AsType[*pluginhost.UnavailableError](err); ok {
		e := provider.Errorf(provider.Transient, "plugin_unavailable", "the plugin of %s is not available: %s", name, unavailable.Reason)
		e.RetryAfter = unavailable.RetryAfter
		return e
	}
	if errors.Is(err, pluginhost.ErrUnknownProvider) {
		return provider.Errorf(provider.Blocked, "plugin_missing", "no plugin serves %s; install it again or delete the service", name)
	}
	if failure, ok := errors.AsType[*providerplugin.PluginError](err); ok {
		kind, code := provider.Internal, CodePluginFailed
		if failure.Gone {
			kind, code = provider.Transient, "plugin_gone"
		}
		return provider.Errorf(kind, code, "the plugin of %s failed: %s", name, failure.Message)
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return provider.Errorf(provider.Transient, "timeout", "%s gave no answer in time", name)
	}
	return fmt.Errorf("operation %s of %s: %w", op.ID, name, err)
}

// word says in a trace how an operation ended; "" is well.
func word(err error) string {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*provider.Error](err); ok {
		return e.Kind.String()
	}
	return provider.Internal.String()
}

// Done tells the journal that the outcome of an operation is saved.
func (r *Runner) Done(id string) { r.journal.Done(id) }
