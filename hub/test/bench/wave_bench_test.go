package bench_test

import (
	"os"
	"strconv"
	"testing"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// BenchmarkWave lets 10,000 connections (EVERGRANT_BENCH_WAVE changes the
// number) come due at one moment and reports how fast one hub renews them
// through a real plugin, beside what the authorization server answers to bare
// HTTP requests in the same run. Both share the machine with the database. Once
// with room for 256 at one time, and once with the caps that people have, which
// must not be exceeded.
func BenchmarkWave(b *testing.B) {
	for _, test := range []struct {
		name, database string
		room           int
		alone          bool // without second copies
	}{
		{"sqlite/wide", "sqlite", 256, false}, {"postgres/wide", "postgres", 256, false}, {"postgres/wide-without-copies", "postgres", 256, true},
		{"postgres/capped", "postgres", 64, false},
	} {
		b.Run(test.name, func(b *testing.B) {
			size := 10_000
			if n, err := strconv.Atoi(os.Getenv("EVERGRANT_BENCH_WAVE")); err == nil {
				size = n
			}
			for b.Loop() {
				b.StopTimer()
				w := hubtest.PrepareWave(b, test.database, size)
				w.Flags["renewal.workers"], w.Flags["renewal.per_endpoint"] = 2*test.room, test.room
				if test.alone {
					w.Flags["renewal.second_copy"] = "false"
				}
				b.StartTimer()
				took := w.Run(b)
				b.StopTimer()
				if most := w.Most.Load(); most > int64(test.room) {
					b.Errorf("%d renewals were in flight at one time, the cap is %d", most, test.room)
				}
				bare := w.Bare(b, size)
				rate := float64(size) / took.Seconds()
				b.ReportMetric(rate, "renewals/s")
				b.ReportMetric(took.Seconds(), "drained-s")
				b.ReportMetric(float64(w.Most.Load()), "most-in-flight")
				b.ReportMetric(bare, "bare/s")
				b.ReportMetric(rate/bare, "ratio")
				b.ReportMetric(float64(w.Server.DoubleSpent()), "double-spent")
				if w.Copied > 0 {
					b.ReportMetric(w.Copied, "copied-after-ms")
				}
				b.ReportMetric(0, "ns/op")
				b.StartTimer()
			}
		})
	}
}
