package bench_test

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/seal"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/hub/test/hubtest"
	"github.com/evergrant/evergrant/sdk/provider"
)

// listPages are pages of the web hub whose time must not grow with what is stored.
var listPages = map[string]string{
	"first": "/connections", "deep": "/connections?after=many-090000", "search": "/connections?q=many-0777", "none-found": "/connections?q=nothing-like-that",
	"rare-status": "/connections?status=needs_operator", "common-status": "/connections?status=fresh", "tag": "/connections?tag=moscow",
	"expires": "/connections?sort=expires", "changed": "/connections?sort=changed", "overview": "/",
}

// BenchmarkList measures whole pages of the web hub beside 100,000 connections, in
// the middle of 15 requests each, and beside a page that reads no connection.
func BenchmarkList(b *testing.B) {
	for _, database := range []string{"sqlite", "postgres"} {
		b.Run(database, func(b *testing.B) {
			dir := b.TempDir()
			flags := map[string]any{}
			address, key := "sqlite:"+filepath.Join(dir, "evergrant.db"), "evergrant.key"
			if database == "postgres" {
				address, key = storetest.Postgres(b), "made.key"
				flags["database.url"] = address
			}
			world := hubtest.StartWorld(b, time.Hour)
			r := hubtest.StartHubIn(b, dir, flags)
			r.AddService(b, world.Service("oauth2"))
			r.Hub.Stop(context.Background())
			fillLists(b, address, filepath.Join(dir, key))
			flags["key.file"] = filepath.Join(dir, key)
			r = hubtest.StartHubIn(b, dir, flags)
			v := r.Owner(b)
			for b.Loop() {
				b.ReportMetric(pageTime(b, v, "/settings"), "settings-ms")
				for name, path := range listPages {
					b.ReportMetric(pageTime(b, v, path), name+"-ms")
				}
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

func pageTime(b *testing.B, v *hubtest.Visitor, path string) float64 {
	b.Helper()
	var took []time.Duration
	for range 15 {
		begun := time.Now()
		if status, page, _ := v.Ask("GET", path, nil); status != http.StatusOK {
			b.Fatalf("%s answers %d: %s", path, status, page)
		}
		took = append(took, time.Since(begun))
	}
	slices.Sort(took)
	return micros(took[len(took)/2]) / 1000
}

// fillLists makes 100,000 connections in a mix as it may be.
func fillLists(b *testing.B, address, keyFile string) {
	b.Helper()
	box, err := seal.Open(keyFile)
	if err != nil {
		b.Fatal(err)
	}
	s, err := store.Open(b.Context(), store.Options{URL: address, Box: box})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	services, err := s.Services.Services(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	now := time.Now()
	const all, part = 100_000, 5_000
	for from := 0; from < all; from += part {
		connections := make([]connection.Connection, part)
		for i := range connections {
			n := from + i
			c := connection.Connection{
				ID: store.NewID(), Name: fmt.Sprintf("many-%06d", n), Title: fmt.Sprintf("Филиал № %d", n), ServiceID: services[0].ID, State: connection.StateActive,
				Generation: 1, CreatedAt: now, UpdatedAt: now, Due: now.Add(240 * time.Hour),
				Policy: connection.Policy{AutoRenew: provider.AutoRenewRefreshToken, Rotation: provider.Rotation{Kind: provider.RotationRotates}},
				Tokens: connection.TokenSet{AccessToken: "access", RefreshToken: "refresh", ObtainedAt: now, ExpiresAt: now.Add(time.Hour + time.Duration(n)*time.Second)},
			}
			switch {
			case n%1000 == 7:
				c.Failure = &connection.Failure{Kind: provider.Blocked, Code: "invalid_client", At: now, Since: now, Count: 1}
			case n%100 == 3:
				c.State = connection.StateEnded
			case n%50 == 5:
				c.Tokens.RefreshToken = ""
			}
			connections[i] = c
		}
		if err := s.Grants.CreateConnections(b.Context(), connections); err != nil {
			b.Fatal(err)
		}
		for i := 0; i < part; i += 500 {
			if err := s.Grants.AddTag(b.Context(), connections[i].ID, "moscow"); err != nil {
				b.Fatal(err)
			}
		}
	}
	storetest.Analyze(b, address)
}
