package tracing_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/evergrant/evergrant/hub/internal/tracing"
)

func TestWorkThatOutlivesItsCallerKeepsItsTrace(t *testing.T) {
	spans := tracetest.NewSpanRecorder()
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)).Tracer("test")
	caller, hangUp := context.WithCancel(tracing.Begin(t.Context(), "3f2a", tracer))
	caller, asked := tracing.Start(caller, "pull")
	work := tracing.Onto(context.Background(), caller)
	hangUp()
	if work.Err() != nil || tracing.Request(work) != "3f2a" {
		t.Errorf("the work ended with its caller, or forgot it: %v %q", work.Err(), tracing.Request(work))
	}
	_, renewing := tracing.StartClient(work, "renew")
	tracing.End(renewing, "transient")
	tracing.End(asked, "")
	ended := spans.Ended()
	if len(ended) != 2 || ended[0].Parent().SpanID() != ended[1].SpanContext().SpanID() || ended[0].Status().Description != "transient" {
		t.Errorf("%v", ended)
	}
}

func TestWithoutATracerThereAreNoSpans(t *testing.T) {
	ctx := tracing.Begin(t.Context(), "3f2a", nil)
	below, span := tracing.Start(ctx, "pull")
	tracing.End(span, "internal")
	if below != ctx || span.IsRecording() {
		t.Error("a span was made for nobody")
	}
	if tracing.Onto(t.Context(), context.Background()) != t.Context() {
		t.Error("a request context was made up")
	}
	if allocated := testing.AllocsPerRun(100, func() { _, span := tracing.Start(ctx, "pull"); tracing.End(span, "") }); allocated > 0 {
		t.Errorf("it costs %v allocations", allocated)
	}
}

func TestLinesNameTheRequest(t *testing.T) {
	var out bytes.Buffer
	log := hclog.New(&hclog.LoggerOptions{Output: &out})
	tracing.Log(t.Context(), log).Info("first")
	tracing.Log(tracing.Named(t.Context(), "due-7"), log).Info("second")
	first, second, _ := strings.Cut(out.String(), "\n")
	if strings.Contains(first, "request_id") || !strings.Contains(second, "request_id=due-7") {
		t.Errorf("%s", out.String())
	}
}
