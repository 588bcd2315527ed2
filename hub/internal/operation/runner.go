package operation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/egress"
	"github.com/evergrant/evergrant/hub/internal/endpoint"
	"github.com/evergrant/evergrant/hub/internal/exchange"
	"github.com/evergrant/evergrant/hub/internal/journal"
	"github.com/evergrant/evergrant/hub/internal/pluginhost"
	"github.com/evergrant/evergrant/hub/internal/service"
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

// Keys are the keys that the hub keeps for services.
type Keys interface {
	// Sign returns a JWT. Its error says what is missing and what to do.
	Sign(ctx context.Context, svc service.Service, now time.Time, req *providerplugin.SignRequest) (jwt string, err error)
}

// noKeys is a hub without keys.
type noKeys struct{}

// Sign implements Keys.
func (noKeys) Sign(_ context.Context, svc service.Service, _ time.Time, req *providerplugin.SignRequest) (string, error) {
	return "", fmt.Errorf("the service %s has no key %q", svc.Name, req.Key)
}

// Options of a Runner. Zero times get defaults.
type Options struct {
	Plugins   Plugins
	Exchanger *exchange.Exchanger
	Journal   *journal.Journal
	Limiter   *endpoint.Limiter
	// Keys signs with the keys of services; nil keeps none.
	Keys   Keys
	Logger hclog.Logger
	// WorkTimeout bounds what a plugin needs for one run of an operation, its start
	// among it; the time of the exchanges does not count. 30 s.
	WorkTimeout time.Duration
	// SlowAfter is how long a plugin is kept waiting for a reply. The operation is run
	// again when the reply is there. 30 s.
	SlowAfter time.Duration
	// Halted is checked before each operation; an error keeps it from being run. May be
	// nil.
	Halted func(ctx context.Context) error
}

// Runner runs operations. It is safe for concurrent use.
type Runner struct {
	host        Plugins
	exchanger   *exchange.Exchanger
	journal     *journal.Journal
	limiter     *endpoint.Limiter
	keys        Keys
	log         hclog.Logger
	workTimeout time.Duration
	slowAfter   time.Duration
	halted      func(ctx context.Context) error
}

// NewRunner ties the parts.
func NewRunner(o Options) *Runner {
	r := &Runner{
		host: o.Plugins, exchanger: o.Exchanger, journal: o.Journal, limiter: o.Limiter, log: o.Logger,
		workTimeout: o.WorkTimeout, slowAfter: o.SlowAfter, halted: o.Halted, keys: o.Keys,
	}
	if r.keys == nil {
		r.keys = noKeys{}
	}
	if r.halted == nil {
		r.halted = func(context.Context) error { return nil }
	}
	if r.workTimeout <= 0 {
		r.workTimeout = 30 * time.Second
	}
	if r.slowAfter <= 0 {
		r.slowAfter = 30 * time.Second
	}
	return r
}

// Op is one operation of a provider for a service.
type Op struct {
	// ID names it in the journal. Required if Journaled.
	ID      string
	Service service.Service
	// Connection is the one that it is about; zero if it is about none.
	Connection provider.Connection
	// Now is the provider's clock; keep it when the operation is run again.
	Now time.Time
	// Journaled makes replies durable; the caller calls Done when the outcome is
	// saved.
	Journaled bool
	// Meta is kept beside the replies.
	Meta []byte
	// Kept are the replies of an earlier run, as Outcome.Replies returned them.
	Kept map[int][]byte
	// Sent is called with the outcome of each request that was sent, for a caller that
	// holds a permit of the limiter. Nil: the outcome is reported to the limiter as
	// observed.
	Sent func(endpoint.Key, endpoint.Outcome)
	// Sending is called when a request is about to be sent; may be nil.
	Sending func()
	// Spends is set if the operation spends a credential: its exchanges outlive ctx, and
	// so does the operation while one is in flight.
	Spends bool
	// Fence is called immediately before a request is written; an error keeps it from
	// being written and becomes the operation's. May be nil.
	Fence func(ctx context.Context) error
	// Slow is called, at most once, when an exchange takes long; may be nil.
	Slow func()
	// Received is called with the replies so far when one has arrived and is durable; may
	// be nil. It must not block.
	Received func(replies map[int][]byte)
}

// Outcome is what is known of an operation apart from its result.
type Outcome struct {
	// Sent is set if a request may have reached the service.
	Sent bool
	// Answered is set if every request that was sent got a reply.
	Answered bool
	// LostOnTheWay is set if a gateway answered in the service's place.
	LostOnTheWay bool
	// AnswerableUntil is until when the service may still be working on a request that
	// got no reply; zero if it is not any more.
	AnswerableUntil time.Time
	// PluginFailed is set if there is an error that is not the service's: the
	// plugin died, failed, was too slow, could not be started or is not there. What
	// was answered still has to be read.
	PluginFailed bool
	// Replies are what the service answered, by step. They hold secrets.
	Replies map[int][]byte
	// StartedAt is when the first request was about to be sent.
	StartedAt time.Time
}

// CodePluginFailed is the code of an error of a plugin that runs: the call reached it and
// failed.
const CodePluginFailed = "plugin_failed"

// CodeHalted is the code of an error of an operation that was not run: the hub may send
// nothing.
const CodeHalted = "detached"

// CodeHeld is the code of an error of an operation that was not run: the service waits for
// an owner's consent to new hosts.
const CodeHeld = "hosts_held"

func (r *Runner) relayFor(op *Op) (*relay, error) {
	c := &relay{runner: r, op: op, replies: map[int]reply{}}
	c.to = egress.Target{Service: op.Service.ForProvider(), Provider: op.Service.Provider, Bound: op.Service.Hosts, PrivateHosts: op.Service.PrivateHosts}
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

func (c *relay) describe(out *Outcome) {
	out.Replies = c.kept()
	c.mu.Lock()
	defer c.mu.Unlock()
	out.Sent, out.Answered, out.AnswerableUntil = c.sent, true, c.answerable
	for _, kept := range c.replies {
		if kept.Status == 0 && kept.Written {
			out.Answered = false
		}
		out.LostOnTheWay = out.LostOnTheWay || kept.lostOnTheWay()
	}
}

// classify makes every failure a *provider.Error.
func (r *Runner) classify(op *Op, err error) error {
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

// outcome names in a trace how an operation ended; "" is success.
func outcome(err error) string {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*provider.Error](err); ok {
		return e.Kind.String()
	}
	return provider.Internal.String()
}

// Done marks the outcome of an operation as saved in the journal.
func (r *Runner) Done(id string) { r.journal.Done(id) }
