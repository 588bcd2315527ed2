package hub

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/hashicorp/go-hclog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/evergrant/evergrant/hub/internal/config"
)

// traceExport is where spans go. The zero value makes none: tracer and provider are nil.
type traceExport struct {
	tracer   trace.Tracer
	provider trace.TracerProvider
	shutdown func(context.Context) error
	log      hclog.Logger
}

// startTracing makes the way of spans to the collector. A collector that does not
// answer holds nothing up: spans are sent in batches, and dropped in the end.
func startTracing(ctx context.Context, cfg config.Tracing, version string, log hclog.Logger) (traceExport, error) {
	if cfg.Endpoint == "" {
		return traceExport{}, nil
	}
	u, err := url.Parse(cfg.Endpoint)
	if err != nil {
		return traceExport{}, fmt.Errorf("read tracing.endpoint: %w", err)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/v1/traces"
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(u.String()), otlptracehttp.WithTimeout(10*time.Second))
	if err != nil {
		return traceExport{}, fmt.Errorf("prepare the sending of traces: %w", err)
	}
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(exporter, sdktrace.WithBatchTimeout(2*time.Second)),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(cfg.Sample))),
		sdktrace.WithResource(resource.NewSchemaless(attribute.String("service.name", "evergrant"), attribute.String("service.version", version))),
	)
	log.Info("exporting traces", "host", u.Host, "sample", cfg.Sample)
	return traceExport{tracer: provider.Tracer("github.com/evergrant/evergrant/hub"), provider: provider, shutdown: provider.Shutdown, log: log}, nil
}

// stop sends what is left, for a few seconds at most.
func (t traceExport) stop(ctx context.Context) {
	if t.shutdown == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := t.shutdown(ctx); err != nil {
		t.log.Warn("flush traces failed", "error", err)
	}
}
