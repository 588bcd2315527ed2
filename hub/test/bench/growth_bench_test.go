package bench_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/seal"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/auditdb"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/sdk/provider"
)

// BenchmarkGrowth measures what the database grows by: with pulls, of which those of one
// process and connection within ten seconds are one record, before and after they are
// summed up by the hour; and with renewals, before and after the clean-up. It measures
// some ten thousand and scales to a million.
func BenchmarkGrowth(b *testing.B) {
	for _, database := range []string{"sqlite", "postgres"} {
		b.Run(database+"/pulls", func(b *testing.B) {
			for b.Loop() {
				growthOfPulls(b, openGrowing(b, database))
			}
			b.ReportMetric(0, "ns/op")
		})
		b.Run(database+"/renewals", func(b *testing.B) {
			for b.Loop() {
				growthOfRenewals(b, openGrowing(b, database))
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// growing is a store whose size can be told.
type growing struct {
	*store.Store

	address, file string
}

func openGrowing(b *testing.B, database string) *growing {
	b.Helper()
	dir := b.TempDir()
	g := &growing{file: filepath.Join(dir, "evergrant.db")}
	g.address = "sqlite:" + g.file
	if database == "postgres" {
		g.address, g.file = storetest.Postgres(b), ""
	}
	box, err := seal.Create(filepath.Join(dir, "made.key"))
	if err != nil {
		b.Fatal(err)
	}
	if g.Store, err = store.Open(b.Context(), store.Options{URL: g.address, Box: box}); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = g.Close() })
	return g
}

// bytes is the size of the database once everything in it is where it stays and what
// was removed is given back.
func (g *growing) bytes(b *testing.B) int64 {
	b.Helper()
	driver, address := "pgx", g.address
	if g.file != "" {
		driver, address = "sqlite", "file:"+g.file
	}
	pool, err := sql.Open(driver, address)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = pool.Close() }()
	statements := []string{"VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"}
	if g.file == "" {
		statements = []string{"VACUUM FULL"}
	}
	for _, statement := range statements {
		if _, err := pool.ExecContext(b.Context(), statement); err != nil {
			b.Fatal(err)
		}
	}
	if g.file != "" {
		info, err := os.Stat(g.file)
		if err != nil {
			b.Fatal(err)
		}
		return info.Size()
	}
	var size int64
	if err := pool.QueryRowContext(b.Context(), "SELECT SUM(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace").Scan(&size); err != nil {
		b.Fatal(err)
	}
	return size
}

// perMillion reports growth since before, scaled from n to a million.
func (g *growing) perMillion(b *testing.B, unit string, before int64, n int) {
	b.Helper()
	b.ReportMetric(float64(g.bytes(b)-before)/float64(n)*1e6/(1<<20), unit+"-MiB/million")
}

// growthOfPulls records processes that pull ten connections, each in every ten seconds
// once, for as many hours as it takes.
func growthOfPulls(b *testing.B, g *growing) {
	const connections, hours = 10, 36
	const n = connections * hours * 360
	before := g.bytes(b)
	began := time.Now().Add(-72 * time.Hour).Truncate(time.Hour)
	for hour := range hours {
		records := make([]auditdb.AuditRecord, 0, connections*360)
		for turn := range 360 {
			at := began.Add(time.Duration(hour)*time.Hour + time.Duration(turn)*10*time.Second)
			for c := range connections {
				records = append(records, auditdb.AuditRecord{
					At: at, ActorKind: audit.KindKey, Actor: "Reports of the sales department", Address: "10.20.30.40", Act: audit.ActPull,
					ObjectKind: "connection", Object: fmt.Sprintf("sales-portal-%02d", c),
					Detail: map[string]string{"pulls": "1", "since": at.UTC().Format(time.RFC3339), "batch": store.NewID()},
				})
			}
		}
		if err := g.Audit.AppendAudit(b.Context(), records...); err != nil {
			b.Fatal(err)
		}
	}
	g.perMillion(b, "recorded", before, n)
	if summed, err := audit.SumPulls(b.Context(), g.Store, time.Now()); err != nil || summed != n {
		b.Fatalf("%d were summed up, %v", summed, err)
	}
	g.perMillion(b, "summed", before, n)
	if _, err := g.Audit.VerifyAudit(b.Context()); err != nil {
		b.Fatal(err)
	}
}

// growthOfRenewals renews some connections over and over.
func growthOfRenewals(b *testing.B, g *growing) {
	const connections, each = 20, 500
	const n = connections * each
	now := time.Now()
	svc := service.Service{ID: store.NewID(), Name: "svc", Title: "svc", Provider: "oauth2", Description: &provider.Description{}, CreatedAt: now, UpdatedAt: now}
	if err := g.Services.CreateService(b.Context(), svc); err != nil {
		b.Fatal(err)
	}
	token := provider.Token{AccessToken: strings.Repeat("a", 900), RefreshToken: strings.Repeat("r", 100), ExpiresIn: new(time.Hour)}
	all := make([]connection.Connection, connections)
	for i := range all {
		all[i] = connection.New(now, store.NewID(), fmt.Sprintf("c-%d", i), "C", svc.ID, connection.Policy{AutoRenew: provider.AutoRenewRefreshToken}).
			Granted(now, now, token, provider.Account{}, nil)
	}
	if err := g.Grants.CreateConnections(b.Context(), all); err != nil {
		b.Fatal(err)
	}
	before := g.bytes(b)
	for range each {
		for i, c := range all {
			all[i] = c.Renewed(now, now, token)
			if err := g.Grants.UpdateConnection(b.Context(), all[i], c); err != nil {
				b.Fatal(err)
			}
		}
	}
	g.perMillion(b, "kept", before, n)
	if err := g.Grants.PruneHistory(b.Context(), grantdb.HistoryBounds{Count: 20, Before: now.Add(-90 * 24 * time.Hour)}); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(g.bytes(b)-before)/connections/1024, "after-clean-up-KiB/connection")
}
