package e2e_test

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

func TestAlertsAreRightAsPromtoolSeesThem(t *testing.T) {
	t.Parallel()
	tool := filepath.Join(hubtest.PrometheusFolder(t), "promtool")
	for _, arguments := range [][]string{
		{"check", "rules", "../../../configs/prometheus/evergrant.rules.yml"}, {"test", "rules", "../../../configs/prometheus/evergrant.rules.test.yml"},
	} {
		if out, err := exec.CommandContext(t.Context(), tool, arguments...).CombinedOutput(); err != nil {
			t.Errorf("promtool %v: %v\n%s", arguments, err, out)
		}
	}
}

func TestEveryPanelShowsDataOfARealPrometheus(t *testing.T) {
	t.Parallel()
	folder := hubtest.PrometheusFolder(t)
	r := hubtest.BusyHub(t, map[string]any{"metrics.listen": "127.0.0.1:0"})
	ask, _ := hubtest.StartPrometheus(t, folder, r.Hub.ScrapesAt().String())
	answered := 0
	for panel, queries := range dashboardQueries(t) {
		for _, q := range queries {
			hubtest.Eventually(t, fmt.Sprintf("the panel %q has data for %s", panel, q), func() bool { return ask(strings.ReplaceAll(q, "$__rate_interval", "5s")) > 0 })
			answered++
		}
	}
	t.Logf("%d queries of the dashboard have data", answered)
}
