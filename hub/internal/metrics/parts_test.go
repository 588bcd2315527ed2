package metrics_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/evergrant/evergrant/hub/internal/endpoint"
	"github.com/evergrant/evergrant/hub/internal/metrics"
	"github.com/evergrant/evergrant/hub/internal/newest"
	"github.com/evergrant/evergrant/hub/internal/pluginhost"
)

func scrape(r *metrics.Registry) string {
	answer := httptest.NewRecorder()
	r.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return answer.Body.String()
}

func TestWhatPluginsPutIntoNamesDoesNotFloodAScrape(t *testing.T) {
	r := metrics.NewRegistry("test", hclog.NewNullLogger())
	endpoints := []endpoint.Status{{Key: "https://bad\xffhost/token", State: endpoint.StateOpen}, {Key: "service:///1", State: endpoint.StateClosed}}
	for n := range 5000 {
		endpoints = append(endpoints, endpoint.Status{Key: endpoint.Key(fmt.Sprintf("https://h%d.example/p", n)), State: endpoint.StateClosed, Waiting: 1})
	}
	err := r.Register(&metrics.Parts{
		Plugins: func() []pluginhost.PluginStatus {
			return []pluginhost.PluginStatus{{Name: "google", State: pluginhost.StateFailed, Restarts: 3}}
		},
		Endpoints: func() []endpoint.Status { return endpoints },
		Journal:   func() metrics.Journal { return metrics.Journal{Pending: 2, Segments: 3, Damaged: 1, Bytes: 4096} }, Pulls: func() int { return 7 },
		Ready:  func() map[string]bool { return map[string]bool{"database": false} },
		Newest: func(context.Context) newest.Stats { return newest.Stats{Entries: 5, Bytes: 900, Damaged: 1} },
		Backup: func(context.Context) (age, every time.Duration) { return time.Minute, time.Hour },
		Clock:  func() time.Duration { return -1500 * time.Millisecond }, Held: func() map[string]bool { return map[string]bool{"restored": true, "clock": false} }, Behind: func() int { return 4 },
	})
	if err != nil {
		t.Fatal(err)
	}
	text := scrape(r)
	for _, want := range []string{
		`evergrant_plugin_state{plugin="google",state="failed"} 1`, `evergrant_plugin_state{plugin="google",state="ready"} 0`,
		`evergrant_plugin_restarts_total{plugin="google"} 3`, `evergrant_endpoint_circuits{host="bad?host",state="open"} 1`,
		`evergrant_endpoint_circuits{host="unknown",state="closed"} 1`, `evergrant_endpoint_waiting{host="others"} 4802`,
		`evergrant_journal_entries 2`, `evergrant_journal_segments 3`, `evergrant_journal_bytes 4096`, `evergrant_journal_damaged_segments 1`, `evergrant_pull_spool 7`, `evergrant_newest_entries 5`, `evergrant_newest_bytes 900`, `evergrant_newest_damaged_files 1`,
		`evergrant_clock_offset_seconds -1.5`, `evergrant_renewals_held{cause="restored"} 1`, `evergrant_renewals_held{cause="clock"} 0`, `evergrant_grants_behind_backup 4`,
		`evergrant_backup_age_seconds 60`, `evergrant_backup_interval_seconds 3600`, `evergrant_ready{check="database"} 0`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("the scrape has no line %s", want)
		}
	}
	if n := strings.Count(text, "\n"); n > 1500 {
		t.Errorf("the scrape has %d lines", n)
	}
}

func TestAnotherPartAddsItsOwnMetrics(t *testing.T) {
	r := metrics.NewRegistry("test", hclog.NewNullLogger())
	sent := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "evergrant_deliveries_total", Help: "h"}, []string{"channel", "result"})
	if err := r.Register(sent); err != nil {
		t.Fatal(err)
	}
	sent.WithLabelValues("telegram", "delivered").Inc()
	if text := scrape(r); !strings.Contains(text, `evergrant_deliveries_total{channel="telegram",result="delivered"} 1`) {
		t.Errorf("%s", text)
	}
	if err := r.Register(sent); err == nil {
		t.Error("a name was taken twice")
	}
}

func TestStrangersDoNotMakeSeries(t *testing.T) {
	r := metrics.NewRegistry("test", hclog.NewNullLogger())
	counts, err := metrics.NewCounts(r)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 100 {
		counts.Answered(fmt.Sprintf("METHOD%d", n), "", 404, time.Millisecond)
	}
	if text := scrape(r); strings.Count(text, "evergrant_http_request_duration_seconds_count") != 1 ||
		!strings.Contains(text, `evergrant_http_request_duration_seconds_count{code="4xx",method="other",route="none"} 100`) {
		t.Errorf("%s", text)
	}
}
