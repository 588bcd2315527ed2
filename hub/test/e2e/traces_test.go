package e2e_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	collectorv1 "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/evergrant/evergrant/hub/test/hubtest"
	"github.com/evergrant/evergrant/plugins/emulator"
)

// collector takes OTLP over HTTP and keeps the bytes.
func collector(t *testing.T) (address string, seen *hubtest.LogBuffer) {
	t.Helper()
	seen = &hubtest.LogBuffer{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err == nil && req.URL.Path == "/v1/traces" {
			_, _ = seen.Write(body)
		}
		w.WriteHeader(http.StatusOK)
	}))
	t.Cleanup(server.Close)
	return server.URL, seen
}

func TestTraceOfAPullThatHadToRenewHoldsEveryStepAndNoSecret(t *testing.T) {
	t.Parallel()
	address, seen := collector(t)
	world := hubtest.StartWorld(t, 4*time.Second)
	r := hubtest.StartHub(t, map[string]any{"tracing.endpoint": address, "tracing.sample": 1.0})
	service := world.Service("oauth2")
	connection := r.AddService(t, service)
	callback := r.Grant(t, connection, emulator.Choices{})
	hubtest.Send(t, callback)
	process := r.Key(t, connection)
	secrets := []string{service.ClientSecret, process.Key, r.Admin.Key, callback.URL.Query().Get("code"), callback.URL.Query().Get("state")}
	refreshToken := func() string {
		var codes struct{ RefreshToken string }
		r.Admin.Must(t, "GET", "/api/v1/connections/"+connection+"/access-codes?refresh_token=true", nil, &codes)
		if codes.RefreshToken == "" {
			t.Fatal("there is no refresh token to look for")
		}
		return codes.RefreshToken
	}
	secrets = append(secrets, refreshToken())
	const traceID = "4bf92f3577b34da6a3ce929d0e0e4736"
	var answer hubtest.Pulled
	var request string
	hubtest.Eventually(t, "a pull renews", func() bool {
		p, header := tracedPull(t, process, connection, "min_ttl=1h", "00-"+traceID+"-00f067aa0ba902b7-01")
		renewed := answer.Generation > 0 && p.Generation > answer.Generation
		answer, request = p, header.Get("X-Request-Id")
		secrets = append(secrets, p.AccessToken)
		return renewed && lineOf(r.Log.String(), "renewed:", "request_id="+request) != ""
	})
	secrets = append(secrets, refreshToken())
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	r.Hub.Stop(ctx) // sends what is left
	spans := readSpans(t, seen.String())
	names := map[string]int{}
	for _, s := range spans {
		if s.trace == traceID {
			names[s.name]++
		}
	}
	for _, want := range []string{"GET /api/v1/connections/:name/token", "wait for the renewal", "renew", "refresh", "evergrant.provider.v1.ProviderService/Operate", "HTTP POST"} {
		if names[want] == 0 {
			t.Errorf("no span %q in the trace; there are %v", want, names)
		}
	}
	if !slices.ContainsFunc(spans, func(s span) bool { return s.name == "GET /callback/:service" }) {
		t.Error("the callback has no span")
	}
	for _, secret := range secrets {
		if secret != "" && strings.Contains(seen.String(), secret) {
			t.Errorf("the exported bytes hold a secret: %.12s…", secret)
		}
	}
	if strings.Contains(seen.String(), "code=") || strings.Contains(seen.String(), "min_ttl") {
		t.Error("the exported bytes hold a query")
	}
}

// lineOf is the line of a log that holds both texts.
func lineOf(log, a, b string) string {
	for line := range strings.Lines(log) {
		if strings.Contains(line, a) && strings.Contains(line, b) {
			return line
		}
	}
	return ""
}

func tracedPull(t testing.TB, c *hubtest.Client, connection, query, traceparent string) (hubtest.Pulled, http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("%s/api/v1/connections/%s/token?%s", c.Base, connection, query), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+c.Key)
	req.Header.Set("traceparent", traceparent)
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	return decodePulled(t, resp.Body), resp.Header
}

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

func decodePulled(t testing.TB, body io.Reader) hubtest.Pulled {
	t.Helper()
	var p hubtest.Pulled
	if err := json.NewDecoder(body).Decode(&p); err != nil {
		t.Fatal(err)
	}
	return p
}
