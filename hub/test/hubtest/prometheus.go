package hubtest

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// PrometheusFolder has prometheus and promtool.
func PrometheusFolder(t *testing.T) string {
	t.Helper()
	folder := os.Getenv("EVERGRANT_TEST_PROMETHEUS")
	if folder == "" {
		t.Skip("EVERGRANT_TEST_PROMETHEUS names no folder with prometheus and promtool; scripts/test.sh sets it")
	}
	return folder
}

// StartPrometheus scrapes a hub every second. The result asks a query and returns how
// many series come back; base is the address of the server.
func StartPrometheus(t *testing.T, folder, target string) (ask func(query string) int, base string) {
	t.Helper()
	dir := t.TempDir()
	rules, err := filepath.Abs("../../../configs/prometheus/evergrant.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	configuration := fmt.Sprintf("global: {scrape_interval: 1s, evaluation_interval: 1s}\nrule_files: [%q]\n"+
		"scrape_configs: [{job_name: evergrant, static_configs: [{targets: [%q]}]}]\n", rules, target)
	file := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(file, []byte(configuration), 0o600); err != nil {
		t.Fatal(err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	_ = free.Close()
	log := &LogBuffer{}
	server := exec.Command(filepath.Join(folder, "prometheus"), "--config.file="+file, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address)
	server.Stdout, server.Stderr = log, log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
		if t.Failed() {
			t.Logf("the log of prometheus:\n%s", Tail(log.String(), 20))
		}
	})
	return func(query string) int {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/api/v1/query?query="+url.QueryEscape(query), nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			return 0 // it does not listen yet
		}
		defer func() { _ = resp.Body.Close() }()
		var answer struct {
			Error string
			Data  struct{ Result []json.RawMessage }
		}
		if err := json.NewDecoder(resp.Body).Decode(&answer); err == nil && answer.Error != "" {
			t.Fatalf("%s: %s", query, answer.Error)
		}
		return len(answer.Data.Result)
	}, "http://" + address
}
