package hub

import (
	"context"
	"time"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/authflow"
	"github.com/evergrant/evergrant/hub/internal/bulk"
	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/channel"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/egress"
	"github.com/evergrant/evergrant/hub/internal/endpoint"
	"github.com/evergrant/evergrant/hub/internal/escalation"
	"github.com/evergrant/evergrant/hub/internal/exchange"
	"github.com/evergrant/evergrant/hub/internal/incident"
	"github.com/evergrant/evergrant/hub/internal/metrics"
	"github.com/evergrant/evergrant/hub/internal/operation"
	"github.com/evergrant/evergrant/hub/internal/scheduler"
	"github.com/evergrant/evergrant/hub/internal/tokensource"
	"github.com/evergrant/evergrant/hub/internal/trail"
)

// wire ties the parts that only know each other by their types.
func (h *Hub) wire() {
	h.sender = egress.New(egress.Options{Version: h.version, Networks: h.cfg.Egress.Prefixes(), Refused: h.refused, Counted: h.counts.Refused})
	h.gate = endpoint.New(endpoint.Options{
		Replica: h.identity.Owner(),
		Limits:  endpoint.Limits{InFlight: h.cfg.Renewal.PerEndpoint, PerSecond: float64(h.cfg.Renewal.PerSecond)},
	})
	h.exchanger = exchange.New(exchange.Options{Sender: h.sender, Logger: h.log.Named("exchange"), Budget: h.cfg.Renewal.ExchangeTimeout})
	runner := operation.NewRunner(operation.Options{
		Plugins: h.plugins, Exchanger: h.exchanger, Journal: h.journal, Gate: h.gate, Logger: h.log.Named("operation"),
		WorkTimeout: h.cfg.Renewal.RequestTimeout, SlowAfter: h.cfg.Renewal.RequestTimeout,
		Halted: h.store.Detached,
	})
	h.hours = metrics.NewHours(h.store, h.log.Named("metrics"))
	h.access = access.New(h.store)
	h.catalogue = catalogue.New(h.store, h.plugins, runner, h.log.Named("catalogue"))
	h.source = tokensource.New(tokensource.Options{
		Store: h.store, Runner: runner, Exchanger: h.exchanger, Journal: h.journal, Identity: h.identity, Newest: h.newest, Gate: h.gate, Changes: &h.changes, Logger: h.log.Named("tokens"),
		Lease: h.cfg.Renewal.Lease, Takeover: h.cfg.Renewal.Takeover,
		Attempted: h.attempted, Waited: h.counts.Waited, Copied: h.counts.Copied, NoCopies: !h.cfg.Renewal.SecondCopy,
	})
	sched := scheduler.New(scheduler.Options{
		Store: h.store, Source: h.source, Gate: h.gate, Logger: h.log.Named("scheduler"),
		Workers: h.cfg.Renewal.Workers, Lease: h.cfg.Renewal.Lease,
	})
	h.flow = authflow.New(authflow.Options{
		Store: h.store, Runner: runner, Logger: h.log.Named("authorize"), PublicURL: h.cfg.PublicURL,
		TTL: h.cfg.AuthorizationTTL, Patience: h.cfg.Renewal.RequestTimeout, Granted: func(c connection.Connection) { h.source.Remember(c); sched.Wake() }, Exchanging: h.counts.Exchanging,
	})
	h.bulk = bulk.New(bulk.Options{Store: h.store, Catalogue: h.catalogue, Source: h.source, Audit: h.audit, Logger: h.log.Named("bulk")})
	h.escalates = escalation.New(escalation.Options{
		Store: h.store, Senders: channel.New(channel.Options{Version: h.version}), PublicURL: h.cfg.PublicURL, Replica: h.identity.Owner(),
		MakeLink: h.messageLink, Delivered: h.messages.Tried, Logger: h.log.Named("escalation"),
	})
	ctx, cancel := context.WithCancel(context.Background())
	h.stopWork = cancel
	h.schedule = func() { sched.Run(trail.Begin(ctx, "", h.traces.tracer)) }
	h.work.Go(func() { h.store.Listen(ctx, h.changes.PublishAll) })
	beating, stopBeats := context.WithCancel(context.Background())
	h.stopBeats = stopBeats
	h.work.Go(func() { h.identity.Run(beating) })
	h.work.Go(func() { h.watchPlugins(ctx) })
	h.work.Go(func() { h.pulls.Run(ctx) })
	h.work.Go(func() { h.hours.Run(ctx) })
	h.work.Go(func() { incident.Watch(ctx, h.store, &h.changes, h.escalates.Wake, h.log.Named("incidents")) })
	h.work.Go(func() { h.escalates.Run(ctx) })
}

// messageLink makes the link of a message by which somebody authorises a connection.
func (h *Hub) messageLink(ctx context.Context, connectionID, userID string, life time.Duration) (string, error) {
	token, _, err := h.flow.MakeLinkFor(ctx, connectionID, userID, "Evergrant", life)
	return "/grant/" + token, err
}
