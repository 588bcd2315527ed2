package hub_test

import (
	"encoding/hex"
	"encoding/json"
	"io"
	"testing"

	collectorv1 "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"
)

type span struct{ name, trace string }

// readSpans reads what a collector was sent: messages one after another are one
// message with the spans of all.
func readSpans(t *testing.T, exported string) []span {
	t.Helper()
	var all collectorv1.ExportTraceServiceRequest
	if err := proto.Unmarshal([]byte(exported), &all); err != nil {
		t.Fatal(err)
	}
	var spans []span
	for _, r := range all.GetResourceSpans() {
		for _, scope := range r.GetScopeSpans() {
			for _, s := range scope.GetSpans() {
				spans = append(spans, span{name: s.GetName(), trace: hex.EncodeToString(s.GetTraceId())})
			}
		}
	}
	return spans
}

func decodePulled(t testing.TB, body io.Reader) pulled {
	t.Helper()
	var p pulled
	if err := json.NewDecoder(body).Decode(&p); err != nil {
		t.Fatal(err)
	}
	return p
}
