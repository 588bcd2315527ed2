package escalation

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/channel"
	"github.com/evergrant/evergrant/hub/internal/store"
)

// Options of an Escalation.
type Options struct {
	Store   *store.Store
	Senders *channel.Senders
	// MakeLink returns the path of a single-use link to authorize a connection. userID is
	// the receiver's account here, or empty.
	MakeLink func(ctx context.Context, connectionID, userID string, life time.Duration) (path string, err error)
	// PublicURL is the hub's address for browsers.
	PublicURL string
	// Replica names this hub to others.
	Replica string
	// Delivered is called with the result of each send: the channel's kind, empty if
	// there is no channel, and Delivered, Retried or Failed. Optional; it must not block.
	Delivered func(kind, result string)
	Logger    hclog.Logger
}

// Escalation notifies people of incidents. It is safe for concurrent use.
type Escalation struct {
	o       Options
	planner *Planner
	wake    chan struct{}
}

// New returns an Escalation; Run sends.
func New(o Options) *Escalation {
	o.PublicURL = strings.TrimSuffix(o.PublicURL, "/")
	if o.Delivered == nil {
		o.Delivered = func(string, string) {}
	}
	return &Escalation{o: o, planner: NewPlanner(o.Store), wake: make(chan struct{}, 1)}
}

// Wake has Run look at once for what is to be sent.
func (e *Escalation) Wake() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// Times of Run.
const (
	// look is how often the database is polled without a change notification.
	look = 2 * time.Second
	// endsEvery is how often ends of grants are looked for.
	endsEvery = 30 * time.Second
	// secretsEvery is how often ends of client secrets are looked for.
	secretsEvery = 10 * time.Minute
	// lease is for how long a replica has a message; longer than a send may take.
	lease       = 90 * time.Second
	sendTimeout = 30 * time.Second
	// releaseTimeout bounds how long a stop waits for a database that is away.
	releaseTimeout = 5 * time.Second
	atOnce         = 8
)

// Run notifies people until ctx ends. A send in progress is finished then, and what was
// claimed and not sent is released for another replica.
func (e *Escalation) Run(ctx context.Context) {
	var looked, secrets time.Time
	e.release(ctx)
	defer e.release(ctx)
	for ctx.Err() == nil {
		if time.Since(looked) >= endsEvery && e.o.Store.Detached(ctx) == nil {
			looked = time.Now()
			e.ends(ctx, looked)
			e.scopes(ctx, looked)
			if time.Since(secrets) >= secretsEvery {
				secrets = looked
				e.secrets(ctx, looked)
				e.certificates(ctx, looked)
			}
		}
		sent, err := e.Deliver(ctx)
		if err != nil && ctx.Err() == nil {
			e.o.Logger.Warn("process notification queue failed, retrying", "error", err)
		}
		if sent > 0 {
			continue
		}
		select {
		case <-ctx.Done():
		case <-e.wake:
		case <-time.After(look):
		}
	}
}

// release gives back what this replica has and is not sending: left by its last run,
// or by this one.
func (e *Escalation) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	if err := e.o.Store.Notices.ReleaseDeliveries(ctx, e.o.Replica); err != nil {
		e.o.Logger.Warn("release claimed notifications failed, leases will expire", "error", err)
	}
}

func (e *Escalation) ends(ctx context.Context, now time.Time) {
	begun, ended, err := e.planner.TellOfEnds(ctx, now)
	switch {
	case err != nil && ctx.Err() == nil:
		e.o.Logger.Warn("check for ending grants failed, retrying", "error", err)
	case begun+ended > 0:
		e.o.Logger.Info("grant expiry escalations updated", "begun", begun, "over", ended)
	}
}

func (e *Escalation) scopes(ctx context.Context, now time.Time) {
	if err := e.planner.EndScopes(ctx, now); err != nil && ctx.Err() == nil {
		e.o.Logger.Warn("check for granted scopes failed, retrying", "error", err)
	}
}

func (e *Escalation) secrets(ctx context.Context, now time.Time) {
	begun, ended, err := e.planner.TellOfSecrets(ctx, now)
	switch {
	case err != nil && ctx.Err() == nil:
		e.o.Logger.Warn("check for ending client secrets failed, retrying", "error", err)
	case begun+ended > 0:
		e.o.Logger.Info("client secret escalations updated", "begun", begun, "over", ended)
	}
}

func (e *Escalation) certificates(ctx context.Context, now time.Time) {
	begun, ended, err := e.planner.TellOfCertificates(ctx, now)
	switch {
	case err != nil && ctx.Err() == nil:
		e.o.Logger.Warn("check for ending client certificates failed, retrying", "error", err)
	case begun+ended > 0:
		e.o.Logger.Info("client certificate escalations updated", "begun", begun, "over", ended)
	}
}

// Deliver sends what is due, once, and returns how many messages that were.
func (e *Escalation) Deliver(ctx context.Context) (int, error) {
	if err := e.o.Store.Detached(ctx); err != nil {
		if _, ok := errors.AsType[*store.DetachedError](err); ok {
			return 0, nil // a detached copy sends nothing
		}
		return 0, err
	}
	now := time.Now()
	next, err := e.o.Store.Notices.NextDelivery(ctx)
	if err != nil || next.IsZero() || next.After(now) {
		return 0, err
	}
	claimed, err := e.o.Store.Notices.ClaimDeliveries(ctx, e.o.Replica, now, now.Add(lease), atOnce)
	if err != nil {
		return 0, err
	}
	var sending sync.WaitGroup
	errs := make([]error, len(claimed))
	for i, d := range claimed {
		sending.Go(func() { errs[i] = e.deliver(context.WithoutCancel(ctx), d) })
	}
	sending.Wait()
	return len(claimed), errors.Join(errs...)
}
