package e2e_test

import (
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/hub/test/hubtest"
	"github.com/evergrant/evergrant/plugins/emulator"
)

func TestMetricsShowARenewalThatAPullHadToWaitFor(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, 4*time.Second)
	r := hubtest.StartHub(t, nil)
	connection := r.AddService(t, world.Service("oauth2"))
	if text := r.Scrape(t); hubtest.Sample(text, `evergrant_connections{status="needs_authorization"}`) != "1" {
		t.Errorf("a connection that nobody has authorized is not counted:\n%s", text)
	}
	r.Authorize(t, connection)
	process := r.Key(t, connection)
	first := process.Pull(t, connection)
	hubtest.Eventually(t, "the token is renewed", func() bool { return process.Pull(t, connection).Generation > first.Generation })
	process.Do(t, "GET", "/api/v1/connections/another/token", nil)
	hubtest.Send(t, r.Grant(t, connection, emulator.Choices{Deny: true}))
	text := r.Scrape(t)
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
		if got := hubtest.Sample(text, series); !regexp.MustCompile(want).MatchString(got) {
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
	r := hubtest.StartHub(t, map[string]any{"metrics.listen": "127.0.0.1:0"})
	for key, want := range map[string]int{"": http.StatusUnauthorized, "evg_wrong": http.StatusUnauthorized, r.Admin.Key: http.StatusOK} {
		if status, _ := (&hubtest.Client{Base: r.Hub.URL(), Key: key}).Do(t, "GET", "/metrics", nil); status != want {
			t.Errorf("with the key %.5s: %d", key, status)
		}
	}
	reader := r.KeyOf(t, map[string]any{"title": "other", "scopes": []string{"connection:read"}})
	if status, _ := reader.Do(t, "GET", "/metrics", nil); status != http.StatusForbidden {
		t.Errorf("a key without the scope: %d", status)
	}
	own := &hubtest.Client{Base: "http://" + r.Hub.ScrapesAt().String()}
	if status, body := own.Do(t, "GET", "/metrics", nil); status != http.StatusOK || !strings.Contains(string(body), "evergrant_connections") {
		t.Errorf("on its own address: %d", status)
	}
	if status, _ := own.Do(t, "GET", "/api/v1/connections", nil); status != http.StatusNotFound {
		t.Errorf("something else is served there: %d", status)
	}
}

func TestReadySaysWhatIsWrongAndNoMore(t *testing.T) {
	t.Parallel()
	r := hubtest.StartHub(t, nil)
	ask := func() (int, string) {
		status, body := (&hubtest.Client{Base: r.Hub.URL()}).Do(t, "GET", "/readyz", nil)
		return status, string(body)
	}
	if status, body := ask(); status != http.StatusOK || body != "ready\n" {
		t.Fatalf("%d %q", status, body)
	}
	journal := r.Dir + "/journal"
	if err := os.Rename(journal, journal+"-away"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(journal, nil, 0o600); err != nil { // it cannot be made anew
		t.Fatal(err)
	}
	hubtest.Eventually(t, "not ready", func() bool { status, _ := ask(); return status == http.StatusServiceUnavailable })
	if _, body := ask(); body != "journal: the journal of replies cannot be written\n" {
		t.Errorf("%q", body)
	}
	if err := os.Remove(journal); err != nil {
		t.Fatal(err)
	}
	hubtest.Eventually(t, "ready again", func() bool { status, _ := ask(); return status == http.StatusOK })
	if !hubtest.Contains(r.Log, "not ready: the journal of replies") || !hubtest.Contains(r.Log, "ready again") {
		t.Error("the log does not say so")
	}
}

func TestMetricsAreReadFromPostgreSQLToo(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, map[string]any{"database.url": storetest.Postgres(t)})
	connection := r.AddService(t, world.Service("oauth2"))
	r.Authorize(t, connection)
	text := r.Scrape(t)
	for series, want := range map[string]string{
		`evergrant_connections{status="fresh"}`: `^1$`, `evergrant_connections{status="paused"}`: `^0$`,
		`evergrant_tokens_expiring{within="1h"}`: `^1$`, `evergrant_tokens_expiring{within="10m"}`: `^0$`, `evergrant_tokens_expiring{within="expired"}`: `^0$`,
		`evergrant_token_expiry_soonest_seconds`: `^3\d\d\d`, `evergrant_renewals_overdue`: `^0$`, `evergrant_renewal_overdue_seconds`: `^0$`,
		`evergrant_persons_needed{within="7d"}`: `^0$`, `evergrant_bulk_items`: `^0$`, `evergrant_jobs{state="available"}`: `^\d+$`,
	} {
		if got := hubtest.Sample(text, series); !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("%s is %q", series, got)
		}
	}
}
