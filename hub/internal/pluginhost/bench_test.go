package pluginhost

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/pluginhost/plugintest"
	"github.com/evergrant/evergrant/hub/internal/sandbox"
	"github.com/evergrant/evergrant/hub/internal/waittest"
	"github.com/evergrant/evergrant/sdk/provider"
)

// benchHost hosts one static plugin that is described already.
func benchHost(b *testing.B, mode sandbox.Mode) *Host {
	b.Helper()
	dir := b.TempDir()
	hostileIn(b, dir, "hostile")
	h, _ := newHost(b, Options{Dir: dir, Sandbox: mode, Cache: &remembering{name: "hostile"}})
	if err := h.Scan(b.Context()); err != nil {
		b.Fatal(err)
	}
	return h
}

// BenchmarkPluginStart measures from the call of a provider whose plugin does not run
// to the end of that call.
func BenchmarkPluginStart(b *testing.B) {
	for _, mode := range []sandbox.Mode{sandbox.Off, sandbox.BestEffort} {
		b.Run(string(mode), func(b *testing.B) {
			h := benchHost(b, mode)
			s := h.supervisorOf("hostile")
			var took []time.Duration
			for b.Loop() {
				for range 20 {
					begun := time.Now()
					works(b, h, "hostile")
					took = append(took, time.Since(begun))
					s.replaceWith(nil)
					waittest.Until(b, "it is stopped", func() bool { return entries(b, h.runtimeDir.path) == 1 })
				}
			}
			slices.Sort(took)
			b.ReportMetric(milliseconds(took[len(took)/2]), "p50-ms")
			b.ReportMetric(milliseconds(took[len(took)*95/100]), "p95-ms")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// BenchmarkPluginCall measures whole renewals: the request up to the hub, a reply
// down, the token up; beside the same provider called in this process.
func BenchmarkPluginCall(b *testing.B) {
	for _, callers := range []int{1, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			h := benchHost(b, sandbox.BestEffort)
			works(b, h, "hostile")
			ctx := context.Background()
			call := func() error { return refreshWith(ctx, h, "hostile", "", answer) }
			direct := func() error {
				_, err := testProvider{name: "hostile"}.Refresh(ctx, &provider.RefreshRequest{Call: provider.Call{HTTP: &http.Client{Transport: directly{}}}})
				return err
			}
			for b.Loop() {
				perSecond, p50, p99 := measure(b, callers, 4000, call)
				inProcess, _, _ := measure(b, callers, 4000, direct)
				b.ReportMetric(perSecond, "calls/s")
				b.ReportMetric(float64(p50.Microseconds()), "p50-µs")
				b.ReportMetric(float64(p99.Microseconds()), "p99-µs")
				b.ReportMetric(inProcess, "in-process/s")
				b.ReportMetric(perSecond/inProcess, "ratio")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// directly answers a provider in this process.
type directly struct{}

func (directly) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("next"))}, nil
}

// measure runs n calls by so many callers.
func measure(b *testing.B, callers, n int, call func() error) (perSecond float64, p50, p99 time.Duration) {
	b.Helper()
	took := make([]time.Duration, n)
	var next atomic.Int64
	var working sync.WaitGroup
	begun := time.Now()
	for range callers {
		working.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				start := time.Now()
				if err := call(); err != nil {
					b.Error(err)
				}
				took[i] = time.Since(start)
			}
		})
	}
	working.Wait()
	whole := time.Since(begun)
	slices.Sort(took)
	return float64(n) / whole.Seconds(), took[n/2], took[n*99/100]
}

// BenchmarkPluginMemory measures what a running plugin has in memory, and what a
// hundred installed ones cost the hub while nobody calls them.
func BenchmarkPluginMemory(b *testing.B) {
	built, err := plugintest.Build("hub/internal/pluginhost/testdata/hostile")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		h := benchHost(b, sandbox.BestEffort)
		works(b, h, "hostile")
		b.ReportMetric(float64(statusOf(b, h, "hostile").Memory)/(1<<20), "running-MiB")

		dir := b.TempDir()
		for n := range 100 {
			if err := os.Link(built, filepath.Join(dir, fmt.Sprintf("evergrant-provider-p%d", n))); err != nil {
				b.Skip("links are needed:", err)
			}
		}
		before := heap()
		many, _ := newHost(b, Options{Dir: dir, Sandbox: sandbox.BestEffort, Cache: named{}})
		if err := many.Scan(b.Context()); err != nil {
			b.Fatal(err)
		}
		idle, running := 0, 0
		for _, p := range many.Plugins() {
			if p.State == StateIdle {
				idle++
			}
			if p.PID != 0 {
				running++
			}
		}
		b.ReportMetric(float64(heap()-before)/(1<<20), "hub-MiB-for-100")
		b.ReportMetric(float64(idle), "idle")
		b.ReportMetric(float64(running), "processes")
	}
	b.ReportMetric(0, "ns/op")
}

func heap() int64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

// named is a cache that knows every plugin; each has a provider of its own.
type named struct{}

var namedCount atomic.Int64

func (named) PluginBySum(context.Context, string) (Described, bool, error) {
	d := describe(fmt.Sprintf("p%d", namedCount.Add(1)))
	d.Icon = []byte(strings.Repeat("<svg/>", 500)) // as large as real ones
	return Described{Version: "1", Descriptions: []provider.Description{*d}}, true, nil
}

func (named) SavePlugin(context.Context, string, string, Described) error {
	return nil
}
