package hub_test

import (
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/plugins/emulator"
)

// scrape reads /metrics with a key that may read nothing else.
func (r *running) scrape(t testing.TB) string {
	t.Helper()
	key := r.keyOf(t, map[string]any{"title": "prometheus", "scopes": []string{"metrics:read"}})
	status, body := key.do(t, "GET", "/metrics", nil)
	if status != http.StatusOK {
		t.Fatalf("/metrics: %d %s", status, body)
	}
	return string(body)
}

// sample finds the value of a metric by its name and labels as they are written.
func sample(text, series string) string {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, series+" "); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}

func TestMetricsShowARenewalThatAPullHadToWaitFor(t *testing.T) {
	t.Parallel()
	world := startWorld(t, 4*time.Second)
	r := startHub(t, nil)
	connection := r.addService(t, world.Service("oauth2"))
	if text := r.scrape(t); sample(text, `evergrant_connections{status="needs_authorization"}`) != "1" {
		t.Errorf("a connection that nobody has authorized is not counted:\n%s", text)
	}
	r.authorise(t, connection)
	process := r.key(t, connection)
	first := process.pull(t, connection)
	eventually(t, "the token is renewed", func() bool { return process.pull(t, connection).Generation > first.Generation })
	process.do(t, "GET", "/api/v1/connections/another/token", nil)
	send(t, r.grant(t, connection, emulator.Choices{Deny: true}))
	text := r.scrape(t)
	for series, want := range map[string]string{
		`evergrant_pulls_total{result="served"}`:                                `^[1-9]\d*$`,
		`evergrant_pulls_total{result="no_connection_for_key"}`:                 `^1$`,
		`evergrant_tokens_below_margin_total`:                                   `^0$`,
		`evergrant_renewal_attempts_total{outcome="renewed",provider="oauth2"}`: `^[1-9]\d*$`,
		`evergrant_renewal_duration_seconds_count{provider="oauth2"}`:           `^[1-9]\d*$`,
		`evergrant_renewal_lag_seconds_count`:                                   `^[1-9]\d*$`,
		`evergrant_callback_to_exchange_seconds_count`:                          `^1$`,
		`evergrant_callback_to_exchange_seconds_bucket{le="1"}`:                 `^1$`,
		`evergrant_plugin_state{plugin="oauth2",state="ready"}`:                 `^1$`,
		`evergrant_plugin_memory_bytes{plugin="oauth2"}`:                        `^[1-9]`,
		`evergrant_plugin_restarts_total{plugin="oauth2"}`:                      `^0$`,
		`evergrant_ready{check="database"}`:                                     `^1$`,
		`evergrant_ready{check="journal"}`:                                      `^1$`,
		`evergrant_jobs{state="running"}`:                                       `^\d+$`,
		`evergrant_journal_entries`:                                             `^\d+$`,
		`evergrant_pull_spool`:                                                  `^\d+$`,
		`evergrant_build_info{version="test"}`:                                  `^1$`,
		`go_goroutines`:                                                         `^[1-9]`,
	} {
		if got := sample(text, series); !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("%s is %q", series, got)
		}
	}
	if !strings.Contains(text, `route="/api/v1/connections/:name/token"`) || strings.Contains(text, connection) {
		t.Error("requests are not counted by route alone")
	}
	if !regexp.MustCompile(`evergrant_endpoint_circuits\{host="[a-z0-9.]+:\d+",state="closed"\} [1-9]`).MatchString(text) {
		t.Errorf("the circuit of the token endpoint is not shown:\n%s", regexp.MustCompile(`evergrant_endpoint.*`).FindAllString(text, -1))
	}
}

func TestMetricsNeedAKeyOnTheHubsOwnAddressAndNoneOnTheirOwn(t *testing.T) {
	t.Parallel()
	r := startHub(t, map[string]any{"metrics.listen": "127.0.0.1:0"})
	for key, want := range map[string]int{"": http.StatusUnauthorized, "evg_wrong": http.StatusUnauthorized, r.admin.key: http.StatusOK} {
		if status, _ := (&client{base: r.hub.URL(), key: key}).do(t, "GET", "/metrics", nil); status != want {
			t.Errorf("with the key %.5s: %d", key, status)
		}
	}
	reader := r.keyOf(t, map[string]any{"title": "other", "scopes": []string{"connection:read"}})
	if status, _ := reader.do(t, "GET", "/metrics", nil); status != http.StatusForbidden {
		t.Errorf("a key without the scope: %d", status)
	}
	own := &client{base: "http://" + r.hub.ScrapesAt().String()}
	if status, body := own.do(t, "GET", "/metrics", nil); status != http.StatusOK || !strings.Contains(string(body), "evergrant_connections") {
		t.Errorf("on its own address: %d", status)
	}
	if status, _ := own.do(t, "GET", "/api/v1/connections", nil); status != http.StatusNotFound {
		t.Errorf("something else is served there: %d", status)
	}
}

func TestReadySaysWhatIsWrongAndNoMore(t *testing.T) {
	t.Parallel()
	r := startHub(t, nil)
	ask := func() (int, string) {
		status, body := (&client{base: r.hub.URL()}).do(t, "GET", "/readyz", nil)
		return status, string(body)
	}
	if status, body := ask(); status != http.StatusOK || body != "ready\n" {
		t.Fatalf("%d %q", status, body)
	}
	journal := r.dir + "/journal"
	if err := os.Rename(journal, journal+"-away"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(journal, nil, 0o600); err != nil { // it cannot be made anew
		t.Fatal(err)
	}
	eventually(t, "not ready", func() bool { status, _ := ask(); return status == http.StatusServiceUnavailable })
	if _, body := ask(); body != "journal: the journal of replies cannot be written\n" {
		t.Errorf("%q", body)
	}
	if err := os.Remove(journal); err != nil {
		t.Fatal(err)
	}
	eventually(t, "ready again", func() bool { status, _ := ask(); return status == http.StatusOK })
	if !contains(r.log, "not ready: the journal of replies") || !contains(r.log, "ready again") {
		t.Error("the log does not say so")
	}
}

func TestMetricsAreReadFromPostgreSQLToo(t *testing.T) {
	t.Parallel()
	world := startWorld(t, time.Hour)
	r := startHub(t, map[string]any{"database.url": storetest.Postgres(t)})
	connection := r.addService(t, world.Service("oauth2"))
	r.authorise(t, connection)
	text := r.scrape(t)
	for series, want := range map[string]string{
		`evergrant_connections{status="fresh"}`: `^1$`, `evergrant_connections{status="paused"}`: `^0$`,
		`evergrant_tokens_expiring{within="1h"}`: `^1$`, `evergrant_tokens_expiring{within="10m"}`: `^0$`, `evergrant_tokens_expiring{within="expired"}`: `^0$`,
		`evergrant_token_expiry_soonest_seconds`: `^3\d\d\d`, `evergrant_renewals_overdue`: `^0$`, `evergrant_renewal_overdue_seconds`: `^0$`,
		`evergrant_persons_needed{within="7d"}`: `^0$`, `evergrant_bulk_items`: `^0$`, `evergrant_jobs{state="available"}`: `^\d+$`,
	} {
		if got := sample(text, series); !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("%s is %q", series, got)
		}
	}
}
