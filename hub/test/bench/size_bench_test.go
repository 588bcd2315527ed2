package bench_test

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/seal"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/hub/test/hubtest"
	"github.com/evergrant/evergrant/sdk/provider"
)

// BenchmarkSize shows that cost follows what is due, not what is stored: the
// time of a claim and the hub's memory and processor time while nothing is due,
// on databases of very different sizes.
func BenchmarkSize(b *testing.B) {
	for _, stored := range []struct {
		database string
		size     int
	}{
		{"sqlite", 1_000}, {"sqlite", 100_000},
		{"postgres", 1_000}, {"postgres", 100_000}, {"postgres", 1_000_000},
	} {
		b.Run(fmt.Sprintf("%s/%d", stored.database, stored.size), func(b *testing.B) {
			for b.Loop() {
				measureSize(b, stored.database, stored.size)
			}
		})
	}
}

func measureSize(b *testing.B, database string, size int) {
	flags, dir := map[string]any{}, b.TempDir()
	address := "sqlite:" + filepath.Join(dir, "evergrant.db")
	if database == "postgres" {
		address = storetest.Postgres(b)
		flags["database.url"] = address
	}
	world := hubtest.StartWorld(b, time.Hour)
	r := hubtest.StartHubIn(b, dir, flags)
	r.Authorize(b, r.AddService(b, world.Service("oauth2")))
	r.Hub.Stop(context.Background())
	storetest.Multiply(b, address, "c-oauth2", size, time.Now().Add(time.Hour))

	key := "evergrant.key"
	if database == "postgres" {
		key = "made.key"
	}
	flags["key.file"] = filepath.Join(dir, key)
	b.ReportMetric(micros(claimTime(b, address, filepath.Join(dir, key)))/1000, "claim-100-ms")
	r = hubtest.StartHubIn(b, dir, flags)
	cpu, heap := idle(b, 10*time.Second)
	r.Hub.Stop(context.Background())
	b.ReportMetric(cpu*100, "idle-cpu-%")
	b.ReportMetric(float64(heap)/(1<<20), "heap-MiB")
	b.ReportMetric(0, "ns/op")
}

// claimTime is the middle time of a claim of 100 connections that are due.
func claimTime(b *testing.B, address, keyFile string) time.Duration {
	box, err := seal.Open(keyFile)
	if err != nil {
		b.Fatal(err)
	}
	s, err := store.Open(b.Context(), store.Options{URL: address, Box: box})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	svc, err := s.Services.ServiceByName(b.Context(), "demo-oauth2")
	if err != nil {
		b.Fatal(err)
	}
	owner := storetest.Enter(b, s, "benchmark")
	const rounds, atOnce = 20, 100
	now := time.Now()
	due := make([]connection.Connection, 0, rounds*atOnce)
	for n := range rounds * atOnce {
		c := connection.New(now, store.NewID(), fmt.Sprintf("due-%04d", n), "Due", svc.ID, connection.PolicyOf(svc.Description, provider.GrantAuthorizationCode))
		c = c.Granted(now, now, provider.Token{AccessToken: "a", RefreshToken: "r", ExpiresIn: new(time.Hour)}, provider.Account{}, nil)
		c.Due = now.Add(-time.Minute)
		due = append(due, c)
	}
	if err := s.Grants.CreateConnections(b.Context(), due); err != nil {
		b.Fatal(err)
	}
	var times []time.Duration
	for range rounds {
		began := time.Now()
		claimed, err := s.Renewals.ClaimDue(b.Context(), now, owner, time.Hour, 1, atOnce)
		times = append(times, time.Since(began))
		if err != nil || len(claimed) != atOnce {
			b.Fatalf("claimed %d: %v", len(claimed), err)
		}
	}
	return quantile(times, 0.5)
}

// idle is the share of one core that this process takes while nothing happens,
// and its heap in bytes.
func idle(b *testing.B, window time.Duration) (share float64, heap uint64) {
	hubtest.Until(b, time.Now().Add(2*time.Second)) // what starts has started
	before := processorTime(b)
	hubtest.Until(b, time.Now().Add(window))
	share = float64(processorTime(b)-before) / float64(window)
	runtime.GC()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	return share, memory.HeapInuse
}

func processorTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
