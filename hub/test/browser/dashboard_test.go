package browser_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// TestDashboardPicture draws the panels of the dashboard from what a real Prometheus
// answers to their queries about a hub that is busy: what they show, in plain lines, for
// whoever has no Grafana at hand. make screenshots runs it.
func TestDashboardPicture(t *testing.T) {
	dir := os.Getenv("EVERGRANT_SCREENSHOTS")
	if dir == "" {
		t.Skip("takes a picture of a page: make screenshots")
	}
	folder := hubtest.PrometheusFolder(t)
	r := hubtest.BusyHub(t, map[string]any{"metrics.listen": "127.0.0.1:0"})
	process := r.Key(t, "c-oauth2")
	ask, base := hubtest.StartPrometheus(t, folder, r.Hub.ScrapesAt().String())
	begun := time.Now()
	hubtest.Eventually(t, "half a minute of pulls is recorded", func() bool {
		process.Pull(t, "c-oauth2")
		return ask("up") > 0 && time.Since(begun) > 25*time.Second
	})
	page := filepath.Join(t.TempDir(), "dashboard.html")
	f, err := os.Create(page)
	if err != nil {
		t.Fatal(err)
	}
	if err := dashboardTemplate.Execute(f, panelsOf(t, base, begun, time.Now())); err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	c := &camera{Browser: hubtest.StartBrowser(t, 1280, 900), dir: dir, width: 1280, height: 900}
	c.Open("file://" + page)
	c.here("dashboard", "en")
}

// panel is what a panel shows.
type panel struct {
	Title string
	Lines []panelLine
}

type panelLine struct{ Name, Points, Last, Colour string }

var panelColours = []string{"#0d7a5f", "#3b82d6", "#c2410c", "#7c4dbd", "#b8860b", "#b3261e", "#5b6763", "#0f766e"}

// panelsOf asks the queries of the dashboard, in its order, for a time.
func panelsOf(t *testing.T, base string, from, to time.Time) (panels []panel) {
	t.Helper()
	data, err := os.ReadFile("../../../configs/grafana/evergrant.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Type, Title string
			Targets     []struct{ Expr, LegendFormat string }
		}
	}
	if err := json.Unmarshal(data, &dashboard); err != nil {
		t.Fatal(err)
	}
	for _, p := range dashboard.Panels {
		if p.Type == "row" {
			continue
		}
		drawn := panel{Title: p.Title}
		for _, target := range p.Targets {
			drawn.Lines = append(drawn.Lines, linesOf(t, base, strings.ReplaceAll(target.Expr, "$__rate_interval", "5s"), target.LegendFormat, from, to, len(drawn.Lines))...)
		}
		panels = append(panels, drawn)
	}
	return panels
}

// linesOf asks for a query over a time and returns its first series as points of a
// drawing 100 wide and 40 high.
func linesOf(t *testing.T, base, query, legend string, from, to time.Time, before int) (lines []panelLine) {
	t.Helper()
	q := url.Values{"query": {query}, "start": {strconv.FormatInt(from.Unix(), 10)}, "end": {strconv.FormatInt(to.Unix(), 10)}, "step": {"1"}}
	resp, err := http.Get(base + "/api/v1/query_range?" + q.Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var answer struct {
		Data struct {
			Result []struct {
				Metric map[string]string
				Values [][2]any
			}
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	highest := func(values [][2]any) (most float64) {
		for _, v := range values {
			most = max(most, number(v[1]))
		}
		return most
	}
	most := 1e-9
	for _, series := range answer.Data.Result {
		most = max(most, highest(series.Values))
	}
	slices.SortStableFunc(answer.Data.Result, func(a, b struct {
		Metric map[string]string
		Values [][2]any
	},
	) int {
		return cmp.Compare(highest(b.Values), highest(a.Values))
	})
	for i, series := range answer.Data.Result[:min(len(answer.Data.Result), 6)] {
		name := legend
		for label, value := range series.Metric {
			name = strings.ReplaceAll(name, "{{"+label+"}}", value)
		}
		var points strings.Builder
		for n, v := range series.Values {
			_, _ = fmt.Fprintf(&points, "%.1f,%.1f ", 100*float64(n)/max(1, float64(len(series.Values)-1)), 38-36*number(v[1])/most)
		}
		last := number(series.Values[len(series.Values)-1][1])
		lines = append(lines, panelLine{Name: name, Points: points.String(), Last: strconv.FormatFloat(last, 'g', 4, 64), Colour: panelColours[(before+i)%len(panelColours)]})
	}
	return lines
}

func number(v any) float64 {
	text, _ := v.(string)
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || n != n {
		return 0
	}
	return n
}

var dashboardTemplate = template.Must(template.New("dashboard").Parse(`<!doctype html><meta charset="utf-8"><title>Evergrant</title><style>
:root{color-scheme:light dark;--bg:#f4f6f5;--card:#fff;--line:#dfe5e2;--text:#1c2421;--quiet:#5b6763}
@media (prefers-color-scheme:dark){:root{--bg:#0f1412;--card:#171d1a;--line:#29322e;--text:#e8edea;--quiet:#98a39e}}
body{margin:0;padding:20px;background:var(--bg);color:var(--text);font:13px/1.4 "DejaVu Sans",sans-serif}
h1{font-size:18px;margin:0 0 14px}main{display:grid;grid-template-columns:repeat(3,1fr);gap:12px}
section{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:10px 12px;min-width:0}
h2{font-size:13px;margin:0 0 6px}svg{display:block;width:100%;height:84px;border-bottom:1px solid var(--line)}
ul{list-style:none;margin:6px 0 0;padding:0;color:var(--quiet);font-size:11px}li{display:flex;gap:6px;white-space:nowrap;overflow:hidden}
b{margin-left:auto;color:var(--text)}i{width:9px;height:9px;border-radius:2px;flex:none;margin-top:3px}
</style><h1>Evergrant</h1><main>{{range .}}<section><h2>{{.Title}}</h2><svg viewBox="0 0 100 40" preserveAspectRatio="none">{{range .Lines}}<polyline points="{{.Points}}" fill="none" stroke="{{.Colour}}" stroke-width="1.4" vector-effect="non-scaling-stroke"/>{{end}}</svg><ul>{{range .Lines}}<li><i style="background:{{.Colour}}"></i>{{.Name}}<b>{{.Last}}</b></li>{{end}}</ul></section>{{end}}</main>`))
