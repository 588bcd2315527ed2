package e2e_test

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

var ourMetric = regexp.MustCompile(`evergrant_\w+`)

// exposed are the names of the metrics in a scrape, with their types.
func exposed(text string) map[string]string {
	names := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (\S+) (\S+)$`).FindAllStringSubmatch(text, -1) {
		names[m[1]] = m[2]
	}
	return names
}

// unknownIn are the metrics that a query names and no hub exposes.
func unknownIn(query string, names map[string]string) (unknown []string) {
	for _, name := range ourMetric.FindAllString(query, -1) {
		base := name
		for _, suffix := range []string{"_bucket", "_count", "_sum"} {
			if cut, ok := strings.CutSuffix(name, suffix); ok && names[cut] == "histogram" {
				base = cut
			}
		}
		if names[base] == "" {
			unknown = append(unknown, name)
		}
	}
	return unknown
}

// dashboardQueries reads the queries of the dashboard by the titles of their panels.
func dashboardQueries(t *testing.T) map[string][]string {
	t.Helper()
	data, err := os.ReadFile("../../../configs/grafana/evergrant.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		UID, Title string
		Panels     []struct {
			ID      int
			Type    string
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(data, &dashboard); err != nil {
		t.Fatal(err)
	}
	queries, ids := map[string][]string{}, map[int]bool{}
	for _, p := range dashboard.Panels {
		if ids[p.ID] || p.Title == "" || p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("the panel %d %q has no title, no query or another's id", p.ID, p.Title)
		}
		ids[p.ID] = true
		for _, target := range p.Targets {
			queries[p.Title] = append(queries[p.Title], target.Expr)
		}
	}
	if dashboard.UID == "" || len(queries) < 10 {
		t.Errorf("the dashboard has %d panels", len(queries))
	}
	return queries
}

type alertRules struct {
	Groups []struct {
		Rules []struct {
			Alert       string
			Expr        string
			Labels      map[string]string
			Annotations map[string]string
		}
	}
}

func TestDashboardAlertsAndPageNameMetricsThatThereAre(t *testing.T) {
	t.Parallel()
	names := exposed(hubtest.BusyHub(t, nil).Scrape(t))
	for panel, queries := range dashboardQueries(t) {
		for _, q := range queries {
			if unknown := unknownIn(q, names); len(unknown) > 0 {
				t.Errorf("the panel %q asks for %v", panel, unknown)
			}
		}
	}
	data, err := os.ReadFile("../../../configs/prometheus/evergrant.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	var rules alertRules
	if err := yaml.Unmarshal(data, &rules); err != nil {
		t.Fatal(err)
	}
	for _, g := range rules.Groups {
		for _, rule := range g.Rules {
			if unknown := unknownIn(rule.Expr, names); len(unknown) > 0 {
				t.Errorf("%s asks for %v", rule.Alert, unknown)
			}
			a := rule.Annotations
			_, anchor, _ := strings.Cut(a["runbook_url"], "docs/operations.md#")
			if a["summary"] == "" || a["description"] == "" || rule.Labels["severity"] == "" || anchor != strings.ToLower(rule.Alert) ||
				!strings.Contains(string(page), "\n### "+rule.Alert+"\n") {
				t.Errorf("%s lacks a summary, a description, a severity, or its part of docs/operations.md", rule.Alert)
			}
		}
	}
	documented := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `(evergrant_\\w+)` \\| (\\w+) \\|").FindAllStringSubmatch(string(page), -1) {
		documented[m[1]] = m[2]
	}
	maps.DeleteFunc(names, func(name, _ string) bool { return !strings.HasPrefix(name, "evergrant_") })
	for name, kind := range names {
		if documented[name] != kind {
			t.Errorf("docs/operations.md says of %s that it is %q, it is a %s", name, documented[name], kind)
		}
	}
	for name := range documented {
		if names[name] == "" {
			t.Errorf("docs/operations.md tells of %s, which there is not", name)
		}
	}
}
