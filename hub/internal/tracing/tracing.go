package tracing

import (
	"context"

	"github.com/hashicorp/go-hclog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

type key struct{}

// of is what a context carries.
type of struct {
	request string
	tracer  trace.Tracer // nil: no traces are collected
}

// Begin adds a request ID and a tracer to a context; the tracer may be nil.
func Begin(ctx context.Context, request string, tracer trace.Tracer) context.Context {
	return context.WithValue(ctx, key{}, of{request: request, tracer: tracer})
}

// Named is Begin for background work: the tracer stays.
func Named(ctx context.Context, request string) context.Context {
	return Begin(ctx, request, from(ctx).tracer)
}

func from(ctx context.Context) of {
	t, _ := ctx.Value(key{}).(of)
	return t
}

// Request is the name of the request; "" if there is none.
func Request(ctx context.Context) string { return from(ctx).request }

// Onto puts what ctx carries on another context, which ends by its own rules.
func Onto(base, ctx context.Context) context.Context {
	t, ok := ctx.Value(key{}).(of)
	if !ok {
		return base
	}
	base = context.WithValue(base, key{}, t)
	if t.tracer == nil {
		return base
	}
	return trace.ContextWithSpan(base, trace.SpanFromContext(ctx))
}

// Log is a logger whose lines name the request.
func Log(ctx context.Context, log hclog.Logger) hclog.Logger {
	if request := Request(ctx); request != "" {
		return log.With("request_id", request)
	}
	return log
}

// nothing is the span without a tracer.
var nothing trace.Span = noop.Span{}

// Start begins a span below the one of the context. The caller calls End.
func Start(ctx context.Context, name string, attributes ...attribute.KeyValue) (context.Context, trace.Span) {
	return start(ctx, name, trace.SpanKindInternal, attributes)
}

// StartClient is Start for an outgoing request.
func StartClient(ctx context.Context, name string, attributes ...attribute.KeyValue) (context.Context, trace.Span) {
	return start(ctx, name, trace.SpanKindClient, attributes)
}

func start(ctx context.Context, name string, kind trace.SpanKind, attributes []attribute.KeyValue) (context.Context, trace.Span) {
	tracer := from(ctx).tracer
	if tracer == nil {
		return ctx, nothing
	}
	return tracer.Start(ctx, name, trace.WithSpanKind(kind), trace.WithAttributes(attributes...))
}

// End ends a span. failure names the kind of failure; "" is success. It is no error text,
// which may hold a secret.
func End(span trace.Span, failure string) {
	if failure != "" {
		span.SetStatus(codes.Error, failure)
	}
	span.End()
}
