package hub

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/api"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/metrics"
	"github.com/evergrant/evergrant/hub/internal/newest"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/tokensource"
	"github.com/evergrant/evergrant/hub/internal/tracing"
)

// observe sets up metrics and tracing. It comes before the parts.
func (h *Hub) observe(ctx context.Context) (err error) {
	if h.traces, err = startTracing(ctx, h.cfg.Tracing, h.version, h.log.Named("tracing")); err != nil {
		return err
	}
	h.registry = metrics.NewRegistry(h.version, h.log.Named("metrics"))
	h.messages = metrics.NewMessages(func(ctx context.Context) (map[string]int, error) { return h.store.Notices.QueuedDeliveries(ctx) }, h.log.Named("metrics"))
	if err := h.registry.Register(h.messages); err != nil {
		return err
	}
	h.counts, err = metrics.NewCounts(h.registry)
	return err
}

// observeParts registers the stats of the parts. It comes after them.
func (h *Hub) observeParts() error {
	return h.registry.Register(metrics.NewStats(h.store, h.unfinishedJobs, h.log.Named("metrics")), &metrics.Parts{
		Plugins: h.plugins.Plugins, Endpoints: h.limiter.Snapshot, Journal: h.journalStats, Pulls: h.pulls.Waiting, Ready: h.readyChecks,
		Newest: h.newestStats, Backup: h.backupStats, Clock: h.clockOffset, Held: h.heldBy, Behind: h.hold.Listed,
	})
}

// unfinishedJobs counts the background jobs for the metrics. It is called by scrapes, which
// are answered once the jobs have started.
func (h *Hub) unfinishedJobs(ctx context.Context) (map[string]int, error) {
	return h.jobs.Unfinished(ctx)
}

// journalStats are the stats of the reply journal, for the metrics.
func (h *Hub) journalStats() metrics.Journal {
	segments, bytes := h.journal.Size()
	return metrics.Journal{Pending: h.journal.Len(), Segments: segments, Bytes: bytes, Damaged: len(h.journal.Damages())}
}

// newestStats are the stats of the file of newest token sets, for the metrics.
func (h *Hub) newestStats(ctx context.Context) newest.Stats {
	s, err := h.newest.Stats(ctx)
	if err != nil {
		h.log.Warn("read newest token sets stats failed", "error", err)
	}
	return s
}

// attempted is called for every renewal that has ended.
func (h *Hub) attempted(a tokensource.Attempt) {
	h.hourly.Renewed(a.Outcome(), time.Now())
	h.counts.Renewed(a.Service.Provider, a.Outcome(), a.Took, a.Lag, a.Scheduled)
}

// instrument measures a request by its route and makes the span that everything below it
// belongs to. Neither has the path or the query: they may hold a link's token, a code
// or a state.
func (h *Hub) instrument(c *gin.Context) {
	start, route := time.Now(), c.FullPath()
	ctx := c.Request.Context()
	tracer := h.traces.tracer
	if tracer != nil {
		ctx = propagation.TraceContext{}.Extract(ctx, propagation.HeaderCarrier(c.Request.Header))
	}
	ctx = tracing.Begin(ctx, c.GetString(requestIDKey), tracer)
	var span trace.Span
	if tracer != nil && !untraced[route] {
		ctx, span = tracer.Start(ctx, c.Request.Method+" "+route, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
			attribute.String("http.request.method", c.Request.Method), attribute.String("http.route", route),
			attribute.String("evergrant.request_id", c.GetString(requestIDKey)),
		))
	}
	c.Request = c.Request.WithContext(ctx)
	defer func() {
		status := c.Writer.Status()
		h.counts.Answered(c.Request.Method, route, status, time.Since(start))
		if span == nil {
			return
		}
		span.SetAttributes(attribute.Int("http.response.status_code", status))
		failure := ""
		if status >= http.StatusInternalServerError {
			failure = http.StatusText(status)
		}
		tracing.End(span, failure)
	}()
	c.Next()
}

// untraced are frequently polled routes.
var untraced = map[string]bool{"/healthz": true, "/readyz": true, "/metrics": true, "": true}

// scraped answers a scrape on the hub's own address: to API keys alone.
func (h *Hub) scraped(c *gin.Context) {
	key, err := h.access.Authenticate(c.Request.Context(), c.GetHeader("Authorization"), c.ClientIP())
	switch {
	case errors.Is(err, access.ErrAddress), err == nil && !access.Has(key, access.ScopeMetricsRead):
		api.WriteProblem(c, http.StatusForbidden, "This needs an API key with the scope metrics:read")
	case errors.Is(err, access.ErrNoKey), errors.Is(err, access.ErrBadKey):
		c.Header("WWW-Authenticate", `Bearer realm="evergrant"`)
		api.WriteProblem(c, http.StatusUnauthorized, "This needs an API key with the scope metrics:read")
	case err != nil:
		api.WriteProblem(c, http.StatusServiceUnavailable, "The hub's database cannot be reached for the moment")
	default:
		c.Header("Cache-Control", "no-store")
		h.registry.Handler().ServeHTTP(c.Writer, c.Request)
	}
}

// listenForScrapes opens the address of its own, if there is to be one.
func (h *Hub) listenForScrapes(ctx context.Context) error {
	if h.cfg.Metrics.Listen == "" {
		return nil
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", h.cfg.Metrics.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s for metrics (choose another with EVERGRANT_METRICS_LISTEN): %w", h.cfg.Metrics.Listen, err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", h.registry.Handler())
	h.scrapes = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, ErrorLog: h.log.Named("metrics").StandardLogger(nil)}
	h.scrapesAt = listener.Addr()
	h.work.Go(func() {
		if err := h.scrapes.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			h.log.Error("metrics server stopped", "error", err)
		}
	})
	h.log.Info("serving metrics without authentication", "listen", listener.Addr().String())
	return nil
}

// ScrapesAt is the address of metrics alone; nil without one.
func (h *Hub) ScrapesAt() net.Addr { return h.scrapesAt }

// accountMoved records that a service names another account than when it was authorized.
func (h *Hub) accountMoved(ctx context.Context, m tokensource.AccountMoved) error {
	return h.audit.Append(ctx, "connection.account", audit.Object{Kind: "connection", Name: m.Connection.Name}, audit.Done,
		"before", m.Before.ID, "before_name", m.Before.Name, "now", m.After.ID, "now_name", m.After.Name)
}

// secretWorks has the client secret made current with which a renewal has succeeded after
// the service refused the other one.
func (h *Hub) secretWorks(ctx context.Context, svc service.Service) error {
	return h.services.UseSecret(act.With(ctx, act.Hub()), svc)
}
