package hub_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/seal"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providertest/authserver"
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
				w := prepareWave(b, test.database, size)
				w.flags["renewal.workers"], w.flags["renewal.per_endpoint"] = 2*test.room, test.room
				if test.alone {
					w.flags["renewal.second_copy"] = "false"
				}
				b.StartTimer()
				took := w.run(b)
				b.StopTimer()
				if most := w.most.Load(); most > int64(test.room) {
					b.Errorf("%d renewals were in flight at one time, the cap is %d", most, test.room)
				}
				bare := w.bare(b, size)
				rate := float64(size) / took.Seconds()
				b.ReportMetric(rate, "renewals/s")
				b.ReportMetric(took.Seconds(), "drained-s")
				b.ReportMetric(float64(w.most.Load()), "most-in-flight")
				b.ReportMetric(bare, "bare/s")
				b.ReportMetric(rate/bare, "ratio")
				b.ReportMetric(float64(w.server.DoubleSpent()), "double-spent")
				if w.copied > 0 {
					b.ReportMetric(w.copied, "copied-after-ms")
				}
				b.ReportMetric(0, "ns/op")
				b.StartTimer()
			}
		})
	}
}

// wave is a data folder in which everything is due.
type wave struct {
	server *authserver.Server
	url    string
	flags  map[string]any
	dir    string
	size   int
	done   chan struct{}
	rotate *atomic.Int64
	// inFlight are token requests at the server now, most the most there were.
	inFlight, most atomic.Int64
	// copied is how long a reply was in one journal only, on average, in milliseconds.
	copied float64
}

// ServeHTTP counts what is in flight at the server.
func (w *wave) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	now := w.inFlight.Add(1)
	defer w.inFlight.Add(-1)
	for most := w.most.Load(); now > most && !w.most.CompareAndSwap(most, now); most = w.most.Load() {
	}
	w.server.ServeHTTP(rw, r)
}

// prepareWave fills a database with connections that are all due.
func prepareWave(b testing.TB, database string, size int) *wave {
	w := &wave{flags: map[string]any{}, dir: b.TempDir(), size: size, done: make(chan struct{}), rotate: &atomic.Int64{}}
	w.server = authserver.New(authserver.Config{OnRotated: func() {
		if w.rotate.Add(1) == int64(size) {
			close(w.done)
		}
	}})
	front := httptest.NewServer(w)
	b.Cleanup(front.Close)
	b.Cleanup(func() { _ = w.server.Close() })
	w.url = front.URL
	if database == "postgres" {
		w.flags["database.url"] = storetest.Postgres(b)
	}
	r := startHubIn(b, w.dir, w.flags)
	r.admin.must(b, "POST", "/api/v1/services", map[string]any{
		"name": "wave", "title": "Wave", "provider": "oauth2", "client_id": "client", "client_secret": "secret",
		"scopes": []string{"offline_access"}, "options": map[string]any{"issuer": w.url},
	}, nil)
	r.hub.Stop(context.Background())
	w.fill(b)
	return w
}

// fill stores the connections, all of which were due a second ago.
func (w *wave) fill(b testing.TB) {
	s := w.open(b)
	defer func() { _ = s.Close() }()
	svc, err := s.Services.ServiceByName(b.Context(), "wave")
	if err != nil {
		b.Fatal(err)
	}
	now := time.Now()
	connections := make([]connection.Connection, 0, w.size)
	for n := range w.size {
		access, refresh := w.server.Grant(authserver.DefaultAccounts()[0], "offline_access")
		c := connection.New(now, store.NewID(), fmt.Sprintf("wave-%05d", n), "Wave", svc.ID, connection.PolicyOf(svc.Description))
		c = c.Granted(now, now, provider.Token{AccessToken: access, RefreshToken: refresh, ExpiresIn: new(time.Hour)}, provider.Account{}, nil)
		c.Due = now.Add(-time.Second)
		connections = append(connections, c)
	}
	if err := s.Grants.CreateConnections(b.Context(), connections); err != nil {
		b.Fatal(err)
	}
}

// run starts the hub on what is due and returns when every renewal is saved:
// a stop waits for that.
func (w *wave) run(b *testing.B) time.Duration {
	began := time.Now()
	r := startHubIn(b, w.dir, w.flags)
	select {
	case <-w.done:
	case <-time.After(5 * time.Minute):
		b.Fatalf("%d of %d were renewed in 5 minutes", w.rotate.Load(), w.size)
	}
	text := r.scrape(b)
	if n, _ := strconv.ParseFloat(sample(text, "evergrant_reply_copy_seconds_count"), 64); n > 0 {
		sum, _ := strconv.ParseFloat(sample(text, "evergrant_reply_copy_seconds_sum"), 64)
		w.copied = 1000 * sum / n
	}
	r.hub.Stop(context.Background())
	took := time.Since(began)
	s := w.open(b)
	defer func() { _ = s.Close() }()
	connections, err := s.Grants.Connections(b.Context(), grantdb.Filter{})
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range connections {
		if c.Generation != 2 {
			b.Fatalf("%s has generation %d after the wave", c.Name, c.Generation)
		}
	}
	return took
}

// open opens the hub's database beside a hub that is stopped.
func (w *wave) open(b testing.TB) *store.Store {
	keyFile := filepath.Join(w.dir, "evergrant.key")
	if w.flags["database.url"] != nil {
		keyFile = filepath.Join(w.dir, "made.key")
	}
	w.flags["key.file"] = keyFile
	box, err := seal.Open(keyFile)
	if err != nil {
		b.Fatal(err)
	}
	address, _ := w.flags["database.url"].(string)
	s, err := store.Open(b.Context(), store.Options{URL: address, DataDir: w.dir, Box: box})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// bare is how many renewals a second the server answers to plain HTTP requests.
func (w *wave) bare(b *testing.B, requests int) float64 {
	const callers = 64
	transport := &http.Transport{MaxIdleConnsPerHost: callers}
	defer transport.CloseIdleConnections()
	tokens := make(chan string, requests)
	for range requests {
		_, refresh := w.server.Grant(authserver.DefaultAccounts()[0])
		tokens <- refresh
	}
	close(tokens)
	w.rotate.Store(-1 << 40)
	began := time.Now()
	var callersDone sync.WaitGroup
	for range callers {
		callersDone.Go(func() {
			for refresh := range tokens {
				form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}, "client_id": {"client"}, "client_secret": {"secret"}}
				req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, w.url+"/token", strings.NewReader(form.Encode()))
				if err != nil {
					b.Error(err)
					return
				}
				req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				resp, err := transport.RoundTrip(req)
				if err != nil {
					b.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
		})
	}
	callersDone.Wait()
	return float64(requests) / time.Since(began).Seconds()
}
