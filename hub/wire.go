package hub

import (
	"context"
	"errors"
	"net"
	"net/url"
	"time"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/audit"
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
	"github.com/evergrant/evergrant/hub/internal/keyring"
	"github.com/evergrant/evergrant/hub/internal/metrics"
	"github.com/evergrant/evergrant/hub/internal/operation"
	"github.com/evergrant/evergrant/hub/internal/scheduler"
	"github.com/evergrant/evergrant/hub/internal/store/authdb"
	"github.com/evergrant/evergrant/hub/internal/store/replicadb"
	"github.com/evergrant/evergrant/hub/internal/testcall"
	"github.com/evergrant/evergrant/hub/internal/tokensource"
	"github.com/evergrant/evergrant/hub/internal/tracing"
	"github.com/evergrant/evergrant/hub/internal/withdrawn"
)

// wire ties the parts that only know each other by their types.
func (h *Hub) wire() {
	h.life, h.stopBeats = context.WithCancel(context.Background())
	h.sender = egress.New(egress.Options{Version: h.version, Networks: h.cfg.Egress.Prefixes(), Refused: h.refused, Counted: h.counts.Refused})
	h.limiter = endpoint.New(endpoint.Options{
		Replica: h.identity.Owner(),
		Limits:  endpoint.Limits{InFlight: h.cfg.Renewal.PerEndpoint, PerSecond: float64(h.cfg.Renewal.PerSecond)},
	})
	h.exchanger = exchange.New(exchange.Options{Sender: h.sender, Logger: h.log.Named("exchange"), Budget: h.cfg.Renewal.ExchangeTimeout})
	h.keyring = keyring.New(h.store)
	runner := operation.NewRunner(operation.Options{
		Keys:    h.keyring,
		Plugins: h.plugins, Exchanger: h.exchanger, Journal: h.journal, Limiter: h.limiter, Logger: h.log.Named("operation"),
		WorkTimeout: h.cfg.Renewal.RequestTimeout, SlowAfter: h.cfg.Renewal.RequestTimeout,
		Halted: h.store.Detached,
	})
	h.hourly = metrics.NewHourlyStats(h.store, h.log.Named("metrics"))
	h.access = access.New(h.store)
	h.catalogue = catalogue.New(h.store, h.plugins, runner, h.log.Named("catalogue"))
	h.withdrawn = withdrawn.New(withdrawn.Options{Store: h.store, Newest: h.newest, Catalogue: h.catalogue, Replica: h.cfg.ReplicaName, Logger: h.log.Named("withdrawn")})
	h.audit.Watch(h.withdrawn.Watch)
	h.catalogue.OnGone(h.withdrawn.Gone)
	h.catalogue.OnRevocation(func(ctx context.Context, act, name, detail string) {
		h.audit.Record(ctx, act, audit.Object{Kind: "connection", Name: name}, "said", detail)
	})
	h.catalogue.OnHosts(h.hostsChanged)
	h.source = tokensource.New(tokensource.Options{
		Store: h.store, Runner: runner, Exchanger: h.exchanger, Journal: h.journal, Identity: h.identity, Clock: h.clock, Held: h.held, WentBack: h.hold.NoticeLost, Newest: h.newest, Limiter: h.limiter, Changes: &h.changes, Logger: h.log.Named("tokens"),
		Lease: h.cfg.Renewal.Lease, Takeover: h.cfg.Renewal.Takeover,
		Attempted: h.attempted, Waited: h.counts.Waited, Copied: h.counts.Copied, NoCopies: !h.cfg.Renewal.SecondCopy,
		Moved: h.accountMoved, SecretWorks: h.secretWorks,
	})
	h.testCalls = testcall.New(testcall.Options{Store: h.store, Source: h.source, Sender: h.sender})
	sched := scheduler.New(scheduler.Options{
		Store: h.store, Source: h.source, Limiter: h.limiter, Logger: h.log.Named("scheduler"),
		Workers: h.cfg.Renewal.Workers, Lease: h.cfg.Renewal.Lease,
	})
	h.flow = authflow.New(authflow.Options{
		Store: h.store, Runner: runner, Logger: h.log.Named("authorize"), PublicURL: h.cfg.PublicURL,
		TTL: h.cfg.AuthorizationTTL, MaxWait: h.cfg.Renewal.RequestTimeout, Granted: func(c connection.Connection) { h.source.Remember(c); sched.Wake() }, Clock: h.clock, Exchanging: h.counts.Exchanging,
		Late: func(ctx context.Context, a *authdb.Authorization, finished *authflow.Finished, err error) {
			h.grants.Late(ctx, a, finished, err)
		},
		DeviceEnded: func(ctx context.Context, d *authdb.Device, finished *authflow.Finished, err error) {
			h.grants.DeviceEnded(ctx, d, finished, err)
		},
	})
	h.wireGrantActs()
	h.bulk = bulk.New(bulk.Options{Store: h.store, Connections: h.connections, Recorder: h.recorder, Decided: h.hold.Look, SendLinks: h.sendLinks, Logger: h.log.Named("bulk")})
	h.escalates = escalation.New(escalation.Options{
		Store: h.store, Senders: channel.New(channelOptions(h.version, egress.Own{Networks: h.cfg.Egress.Prefixes()})), PublicURL: h.cfg.PublicURL, Replica: h.identity.Owner(),
		MakeLink: h.messageLink, Delivered: h.messages.Tried, Logger: h.log.Named("escalation"),
	})
	h.wireActs()
	ctx, cancel := context.WithCancel(context.Background())
	h.stopWork = cancel
	h.schedule = func() {
		h.work.Go(func() { h.flow.PollDevices(ctx) })
		sched.Run(tracing.Begin(ctx, "", h.traces.tracer))
	}
	h.work.Go(func() { h.store.Listen(ctx, h.changes.PublishAll) })
	h.work.Go(func() { h.identity.Run(h.life) })
	h.work.Go(func() {
		h.hold.Run(ctx, func() (<-chan struct{}, func()) { return h.changes.Next(replicadb.RestoreChanged) })
	})
	h.work.Go(func() { h.reseal(ctx, h.box) })
	h.work.Go(func() { h.watchPlugins(ctx) })
	h.work.Go(func() { h.watchDefinitions(ctx) })
	h.work.Go(func() { h.pulls.Run(ctx) })
	h.work.Go(func() { h.hourly.Run(ctx) })
	h.work.Go(func() { incident.Watch(ctx, h.store, &h.changes, h.escalates.Wake, h.log.Named("incidents")) })
	h.work.Go(func() { h.escalates.Run(ctx) })
}

// sendLinks sends links to authorize connections again.
func (h *Hub) sendLinks(ctx context.Context, ids []string) (map[string]escalation.LinkSent, error) {
	return h.escalates.SendLinks(ctx, ids)
}

// messageLink makes the path of a message's link to authorize a connection. That of a part
// whose main connection is gone is its page, which says what to do.
func (h *Hub) messageLink(ctx context.Context, connectionID, userID string, life time.Duration) (string, error) {
	token, err := h.grants.MessageLink(ctx, connectionID, userID, life)
	if errors.Is(err, authflow.ErrMainGone) {
		c, err := h.store.Grants.Connection(ctx, connectionID)
		return "/connections/" + c.Name, err
	}
	return "/grant/" + token, err
}

// channelOptions keep messages to the networks that the hub may reach.
func channelOptions(version string, own egress.Own) channel.Options {
	said := func(err error) error {
		if closed, ok := errors.AsType[*egress.ClosedError](err); ok {
			return &channel.NotAllowedError{Address: closed.Address}
		}
		return err
	}
	return channel.Options{
		Version: version,
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := own.Dial(ctx, network, address)
			return conn, said(err)
		},
		Proxied: func(u *url.URL) error { return said(own.Proxied(u)) },
	}
}
